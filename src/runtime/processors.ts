import { actorProcessor } from '../actor/actor-processor.js'
import { reactionProcessor, reactionSources } from '../actor/reaction-processor.js'
import { isMerge } from '../broker/merge-stream.js'
import { fault } from '../error/millrace-error.js'
import type { Processor } from '../kernel/processor.js'
import { contractsProcessor } from '../pipeline/contracts-processor.js'
import { outboxName, outboxProcessor } from '../pipeline/outbox-processor.js'
import { declaredProcessor } from '../pipeline/declared-pipeline.js'
import { awaitRuleChanges } from '../pipeline/rules/await-changes.js'
import { rulesProcessor } from '../pipeline/rules-processor.js'
import { viewProcessor } from '../view/view-processor.js'
import type { DeployedActor } from './context-actors.js'
import { pipelineStreams, streamNamed, type Deployment } from './deployment.js'
import { rulePairs, type RulePair } from './rules/rule-pairs.js'
import type { KnownRule } from './rules/rule-store.js'

/**
 * Every processor of a deployment: one per pipeline, one for all rules from one stream to another, one per stream that
 * minds its contracts, one per actor and one for each stream that it reacts to, and one for each pair of streams of which a pipeline writes to both, which carries events from
 * the first to the second.
 * @param known rules that are deployed, of whatever files
 * @throws DECLARATION_INVALID, DECLARATION_UNKNOWN
 */
export function processorsOf(deployment: Deployment, known: readonly KnownRule[] = []): Processor[] {
  return [
    // what is merged was minded where it came from
    ...deployment.streams.filter((declared) => !isMerge(declared)).map((declared) => contractsProcessor(declared)),
    ...deployment.pipelines.map((pipeline) => declaredProcessor(pipeline, pipelineStreams(deployment, pipeline))),
    ...rulePairs(deployment, known).map((pair) => rulesProcessorOf(deployment, pair)),
    ...deployment.actors.map((deployed) => actorProcessorOf(deployment, deployed)),
    ...deployment.actors.flatMap((deployed) => reactionProcessorsOf(deployment, deployed)),
    ...(deployment.views ?? []).map((view) =>
      viewProcessor({ view, stream: streamNamed(deployment, view.from.stream) }),
    ),
    ...outboxesOf(deployment),
  ]
}

/** The processor of the rules from one stream to another. @throws DECLARATION_UNKNOWN */
export function rulesProcessorOf(deployment: Deployment, { from, to }: RulePair): Processor {
  const { registry, rules } = deployment
  return rulesProcessor({
    registry,
    from: streamNamed(deployment, from),
    to: streamNamed(deployment, to),
    fixed: rules.flatMap(({ rule, text }) => (text === undefined && rule.on === from && rule.to === to ? [rule] : [])),
    awaitChanges: awaitRuleChanges(registry, from, to),
  })
}

/** The processor of one actor. */
export function actorProcessorOf({ registry, homes }: Deployment, deployed: DeployedActor): Processor {
  return actorProcessor({ ...deployed, registry, homeOf: (type) => homes.get(type) })
}

/** What has an actor react, one for each stream that it reacts to. @throws DECLARATION_UNKNOWN */
function reactionProcessorsOf(deployment: Deployment, { actor, commands }: DeployedActor): Processor[] {
  return reactionSources(actor).map((name) =>
    reactionProcessor({ actor, source: streamNamed(deployment, name), commands }),
  )
}

/** An actor may send to any other, so that each stream with actors has an outbox for the commands of each. */
function addActorOutboxes({ actors }: Deployment, outboxes: Map<string, Processor>): void {
  const contexts = new Map(actors.map(({ stream, commands }) => [stream, commands]))
  for (const from of contexts.keys())
    for (const to of contexts.values()) outboxes.set(outboxName(from.name, to.name), outboxProcessor(from, to))
}

function outboxesOf(deployment: Deployment): Processor[] {
  const outboxes = new Map<string, Processor>()
  addActorOutboxes(deployment, outboxes)
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
