import type { StreamDeclaration } from '../broker/define-stream.js'
import type { Processor } from '../kernel/processor.js'
import type { PipelineDeclaration } from './define-pipeline.js'
import { StatelessLogic } from './stateless-logic.js'

/** A declared pipeline as something that the kernel runs. */
export function pipelineProcessor(
  pipeline: PipelineDeclaration,
  streams: { readonly from: StreamDeclaration; readonly to: StreamDeclaration },
): Processor {
  return {
    kind: 'pipeline',
    name: pipeline.name,
    version: String(pipeline.version),
    from: { stream: streams.from, types: pipeline.from.events.map(({ type }) => type) },
    to: { stream: streams.to },
    memory: 'none',
    start: (_, onBroken) => new StatelessLogic(pipeline, onBroken),
  }
}
