import { fault, type MillraceError } from '../error/millrace-error.js'
import type { Logic, Memory } from '../kernel/processor.js'
import type { PipelineDeclaration } from './define-pipeline.js'

/** A pipeline of durable operators at work: their states are stored with each commit. */
export function checkpointLogic(
  pipeline: PipelineDeclaration,
  _memory: Memory,
  _onBroken: (error: MillraceError) => void,
): Logic {
  throw fault('PIPELINE_INVALID', `${pipeline.name}: recovery mode checkpoint is not there yet`)
}
