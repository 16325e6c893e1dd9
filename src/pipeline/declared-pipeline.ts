import type { Processor } from '../kernel/processor.js'
import type { KeyedDeclaration } from './define-keyed.js'
import type { PipelineDeclaration } from './define-pipeline.js'
import { keyedProcessor } from './keyed/keyed-processor.js'
import { pipelineProcessor, type Checking, type PipelineStreams } from './pipeline-processor.js'

/** What a file of `pipelines/` may declare. */
export type DeclaredPipeline = PipelineDeclaration | KeyedDeclaration

/** A declared pipeline of either kind as something that the kernel runs. */
export function declaredProcessor(
  pipeline: DeclaredPipeline,
  streams: PipelineStreams,
  checking: Checking = {},
): Processor {
  return pipeline.kind === 'keyed'
    ? keyedProcessor(pipeline, streams, checking)
    : pipelineProcessor(pipeline, streams, checking)
}
