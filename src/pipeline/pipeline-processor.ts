import type { StreamDeclaration } from '../broker/define-stream.js'
import type { Processor } from '../kernel/processor.js'
import type { PipelineDeclaration } from './define-pipeline.js'
import { StatelessLogic } from './stateless-logic.js'

/** The streams that a pipeline names. */
export interface PipelineStreams {
  /** The one it reads; of several inputs, the one that merges them. */
  readonly from: StreamDeclaration
  /** The one that it commits to. */
  readonly to: StreamDeclaration
  /** Further ones that outputs belong to. */
  readonly others?: NonNullable<Processor['to']['others']>
}

/** A declared pipeline as something that the kernel runs. */
export function pipelineProcessor(pipeline: PipelineDeclaration, streams: PipelineStreams): Processor {
  return {
    kind: 'pipeline',
    name: pipeline.name,
    version: String(pipeline.version),
    from: { stream: streams.from, types: pipeline.from.events.map(({ type }) => type) },
    to: streams.others === undefined ? { stream: streams.to } : { stream: streams.to, others: streams.others },
    memory: 'none',
    start: (_, onBroken) => new StatelessLogic(pipeline, onBroken),
  }
}
