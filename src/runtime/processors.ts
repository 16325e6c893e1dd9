import { isMerge } from '../broker/merge-stream.js'
import type { Rule } from '../cep/rule/rule.js'
import { fault } from '../error/millrace-error.js'
import type { Processor } from '../kernel/processor.js'
import { contractsProcessor } from '../pipeline/contracts-processor.js'
import { outboxName, outboxProcessor } from '../pipeline/outbox-processor.js'
import { declaredProcessor } from '../pipeline/declared-pipeline.js'
import { rulesProcessor } from '../pipeline/rules-processor.js'
import { pipelineStreams, streamNamed, type Deployment } from './deployment.js'

/**
 * Every processor of a deployment: one per pipeline, one for all rules from one stream to another, one per stream that
 * minds its contracts, and one for each pair of streams of which a pipeline writes to both, which carries events from
 * the first to the second.
 * @throws DECLARATION_INVALID, DECLARATION_UNKNOWN
 */
export function processorsOf(deployment: Deployment): Processor[] {
  return [
    // what is merged was minded where it came from
    ...deployment.streams.filter((declared) => !isMerge(declared)).map((declared) => contractsProcessor(declared)),
    ...deployment.pipelines.map((pipeline) => declaredProcessor(pipeline, pipelineStreams(deployment, pipeline))),
    ...rulesProcessorsOf(deployment),
    ...outboxesOf(deployment),
  ]
}

function rulesProcessorsOf(deployment: Deployment): Processor[] {
  const pairs = new Map<string, Rule[]>()
  for (const { rule } of deployment.rules) {
    const pair = `${rule.on} ${rule.to}`
    pairs.set(pair, [...(pairs.get(pair) ?? []), rule])
  }
  return [...pairs.values()].flatMap((fixed) => {
    const [first] = fixed
    if (first === undefined) return []
    const [from, to] = [streamNamed(deployment, first.on), streamNamed(deployment, first.to)]
    return [rulesProcessor({ registry: deployment.registry, from, to, fixed })]
  })
}

function outboxesOf(deployment: Deployment): Processor[] {
  const outboxes = new Map<string, Processor>()
  for (const { outputs } of deployment.pipelines) {
    const [from, ...others] = outputs.map(({ stream }) => streamNamed(deployment, stream))
    for (const [at, to] of others.entries()) {
      if (from === undefined) continue
      const same = outboxes.get(outboxName(from.name, to.name))
      if (same !== undefined && same.to.stream !== to)
        throw fault('DECLARATION_INVALID', `two pairs of streams would both be ${same.name}: rename one of the streams`)
      const packed = outputs[at + 1]?.packed === true || same?.to.packed === true
      outboxes.set(outboxName(from.name, to.name), outboxProcessor(from, to, packed))
    }
  }
  return [...outboxes.values()]
}
