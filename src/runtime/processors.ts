import { actorProcessor } from '../actor/actor-processor.js'
import { reactionProcessor, reactionSources } from '../actor/reaction-processor.js'
import { isMerge } from '../broker/merge-stream.js'
import { isCapture } from '../broker/capture-stream.js'
import { isWork } from '../broker/work-stream.js'
import { fault } from '../error/millrace-error.js'
import { orderedProcessor, type OrderedPorts } from '../delivery/ordered/ordered-processor.js'
import type { Processor } from '../kernel/processor.js'
import { contractsProcessor } from '../pipeline/contracts-processor.js'
import { outboxName, outboxProcessor } from '../pipeline/outbox-processor.js'
import { declaredProcessor } from '../pipeline/declared-pipeline.js'
import { awaitRuleChanges } from '../pipeline/rules/await-changes.js'
import { rulesProcessor } from '../pipeline/rules-processor.js'
import { viewProcessor } from '../view/view-processor.js'
import { isRecordSubject } from '../actor/aggregate-subject.js'
import type { StreamDeclaration } from '../broker/define-stream.js'
import type { DeployedActor } from './context-actors.js'
import type { DeployedHandler } from './deployed-handlers.js'
import { pipelineStreams, streamNamed, type Deployment } from './deployment.js'
import { rulePairs, type RulePair } from './rules/rule-pairs.js'
import type { KnownRule } from './rules/rule-store.js'

/**
 * Every processor of a deployment: one per pipeline, one for all rules from one stream to another, one per stream that
 * minds its contracts, one per actor and one for each stream that it reacts to, one per view and ordered handler, and one for each pair of streams of which a pipeline writes to both, which carries events from
 * the first to the second.
 * @param known rules that are deployed, of whatever files
 * @param portsOf what ordered handlers are given, where they are to run
 * @throws DECLARATION_INVALID, DECLARATION_UNKNOWN
 */
export function processorsOf(
  deployment: Deployment,
  known: readonly KnownRule[] = [],
  portsOf?: (handler: DeployedHandler) => OrderedPorts,
): Processor[] {
  return [
    // what is merged, or is to be handled again, was minded where it came from; commands are by an actor that takes some
    ...deployment.streams
      .filter((declared) => !isMerge(declared) && !isWork(declared) && !isCapture(declared))
      .filter((declared) => !deployment.actors.some(({ commands }) => commands.name === declared.name))
      // nobody publishes events to where jobs are recorded
      .filter((declared) => !deployment.jobs?.some(({ records }) => records.name === declared.name))
      .map((declared) => contractsProcessor(declared, declared.aggregates === true ? recordsOf(declared) : undefined)),
    ...deployment.pipelines.map((pipeline) => declaredProcessor(pipeline, pipelineStreams(deployment, pipeline))),
    ...rulePairs(deployment, known).map((pair) => rulesProcessorOf(deployment, pair)),
    ...deployment.actors.map((deployed) => actorProcessorOf(deployment, deployed)),
    ...deployment.actors.flatMap((deployed) => reactionProcessorsOf(deployment, deployed)),
    ...(deployment.views ?? []).map((view) =>
      viewProcessor({ view, stream: streamNamed(deployment, view.from.stream) }),
    ),
    ...(deployment.ordered ?? []).map((deployed) =>
      orderedProcessor({ ...deployed, registry: deployment.registry, ports: portsOf?.(deployed) }),
    ),
    ...outboxesOf(deployment),
  ]
}

/** Records are checked when they are decided or appended. */
const recordsOf =
  ({ root }: StreamDeclaration) =>
  (subject: string): boolean =>
    isRecordSubject(root, subject)

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

/** The processor of one actor. The first of a context minds the contracts of its commands. */
export function actorProcessorOf({ registry, homes, actors }: Deployment, deployed: DeployedActor): Processor {
  const all = actors.filter(({ commands }) => commands.name === deployed.commands.name)
  const [first, ...others] = all.sort((one, other) => (one.actor.name < other.actor.name ? -1 : 1))
  const taken = first === deployed ? others.flatMap(({ actor }) => actor.commands.map(({ type }) => type)) : undefined
  const sendsTo = new Set(
    actors.flatMap(({ stream, commands }) => (deployed.actor.sends.includes(stream.name) ? [commands] : [])),
  )
  const homeOf = (type: string): StreamDeclaration | undefined => homes.get(type)
  return actorProcessor({ ...deployed, registry, taken, homeOf, sendsTo: [...sendsTo] })
}

/** What has an actor react, one for each stream that it reacts to. @throws DECLARATION_UNKNOWN */
function reactionProcessorsOf(deployment: Deployment, { actor, commands }: DeployedActor): Processor[] {
  return reactionSources(actor).map((name) =>
    reactionProcessor({ actor, source: streamNamed(deployment, name), commands }),
  )
}

/** For commands to its own context, timers among them, and for each of the others that an actor sends to. @throws DECLARATION_UNKNOWN */
function addActorOutboxes({ actors }: Deployment, outboxes: Map<string, Processor>): void {
  const contexts = new Map(actors.map(({ stream, commands }) => [stream.name, commands]))
  for (const { actor, stream } of actors)
    for (const name of [stream.name, ...actor.sends]) {
      const to = contexts.get(name)
      if (to === undefined) {
        const known = [...contexts.keys()].join(', ')
        throw fault(
          'DECLARATION_UNKNOWN',
          `actor ${actor.name} sends to ${name}, which has no actors; there are: ${known}`,
        )
      }
      outboxes.set(outboxName(stream.name, to.name), outboxProcessor(stream, to))
    }
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
