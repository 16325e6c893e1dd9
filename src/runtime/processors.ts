import { isMerge } from '../broker/merge-stream.js'
import { fault } from '../error/millrace-error.js'
import type { Processor } from '../kernel/processor.js'
import { contractsProcessor } from '../pipeline/contracts-processor.js'
import { outboxProcessor } from '../pipeline/outbox-processor.js'
import { declaredProcessor } from '../pipeline/declared-pipeline.js'
import { ruleProcessor } from '../pipeline/rule-processor.js'
import { pipelineStreams, streamNamed, type Deployment } from './deployment.js'

/**
 * Every processor of a deployment: one per pipeline and rule, one per stream that minds its contracts, and one for each
 * pair of streams of which a pipeline writes to both, which carries events from the first to the second.
 * @throws DECLARATION_INVALID, DECLARATION_UNKNOWN
 */
export function processorsOf(deployment: Deployment): Processor[] {
  const stream = (name: string) => streamNamed(deployment, name)
  const pipelines = deployment.pipelines.map((pipeline) =>
    declaredProcessor(pipeline, pipelineStreams(deployment, pipeline)),
  )
  return [
    // what is merged was minded where it came from
    ...deployment.streams.filter((declared) => !isMerge(declared)).map((declared) => contractsProcessor(declared)),
    ...pipelines,
    ...deployment.rules.map(({ rule }) =>
      ruleProcessor(rule, deployment.registry, { from: stream(rule.on), to: stream(rule.to) }),
    ),
    ...outboxesOf(pipelines),
  ]
}

function outboxesOf(pipelines: readonly Processor[]): Processor[] {
  const outboxes = new Map<string, Processor>()
  for (const { to } of pipelines)
    for (const other of to.others ?? []) {
      const outbox = outboxProcessor(to.stream, other.stream)
      const same = outboxes.get(outbox.name)
      if (same !== undefined && same.to.stream !== other.stream)
        throw fault(
          'DECLARATION_INVALID',
          `two pairs of streams would both be ${outbox.name}: rename one of the streams`,
        )
      outboxes.set(outbox.name, outbox)
    }
  return [...outboxes.values()]
}
