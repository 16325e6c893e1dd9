import type { StreamDeclaration } from '../broker/define-stream.js'
import { fault } from '../error/millrace-error.js'
import type { StoredEvent } from '../event/event.js'
import type { Registry } from '../event/registry.js'
import type { LogicEnvironment } from '../kernel/logic-environment.js'
import type { OnPoison } from '../kernel/processor-policies.js'
import type { Memory, Processor } from '../kernel/processor.js'
import type { ActorDeclaration } from './actor-options.js'
import { ActorLogic } from './actor-logic.js'
import type { ActorPlace } from './actor-place.js'
import { tellOutcome } from './answer.js'
import type { LoadAggregate } from './aggregate-loads.js'
import { replyOf } from './outcome.js'
import { loadAggregate } from './load-aggregate.js'
import { personalWatchOf } from './personal-watch.js'
import { regroupMailboxes } from './mailbox-entries.js'

export interface ActorProcessorOptions {
  readonly actor: ActorDeclaration
  /** The stream of its context, made by recordStream, and that of its commands. */
  readonly stream: StreamDeclaration
  readonly commands: StreamDeclaration
  readonly registry: Registry
  /** Commands that other actors of the context take, where this one minds the contracts of all the rest. */
  readonly taken?: readonly string[] | undefined
  /** The stream that takes commands of a type. */
  readonly homeOf: (type: string) => StreamDeclaration | undefined
  /** Streams of other contexts that take what it sends. */
  readonly sendsTo?: readonly StreamDeclaration[] | undefined
  /** Where aggregates come from in a simulation; else the stream. */
  readonly load?: LoadAggregate
}

/** Largest message of a server that nobody has asked, in bytes. */
const MAX_PAYLOAD = 1024 * 1024

/** A declared actor as something that the kernel runs: one unit for each partition of its commands. */
export function actorProcessor(options: ActorProcessorOptions): Processor {
  const { actor, stream, commands, homeOf, taken, sendsTo = [] } = options
  const startWith: NonNullable<Processor['startWith']> = (other) => (memory, _onBroken, environment) => {
    const home = (type: string): StreamDeclaration | undefined => {
      const found = homeOf(type)
      return found === undefined ? undefined : other(found)
    }
    const maxPayload = environment?.connection.server.maxPayload ?? MAX_PAYLOAD
    return startLogic(options, { actor, stream, commands, homeOf: home, maxPayload }, memory, environment)
  }
  return {
    kind: 'actor',
    name: actor.name,
    version: String(actor.version),
    from: {
      stream: commands,
      types: actor.commands.map(({ type }) => type),
      ...(taken === undefined ? {} : { taken }),
    },
    // it works out the partitions of their outboxes itself
    to: { stream, ...(sendsTo.length === 0 ? {} : { others: sendsTo.map((to) => ({ stream: to, types: [] })) }) },
    memory: 'keyed',
    upgrade: 'keep',
    onPoison: ON_POISON[actor.onError],
    regroup: regroupMailboxes,
    start: startWith((declared) => declared),
    startWith,
  }
}

const ON_POISON: Readonly<Record<ActorDeclaration['onError'], OnPoison>> = {
  park: 'park',
  'dead-letter': 'continue',
  stop: 'stop',
}

function startLogic(
  { registry, load }: ActorProcessorOptions,
  place: ActorPlace,
  memory: Memory,
  environment: LogicEnvironment | undefined,
): ActorLogic {
  const erasures =
    environment === undefined || place.actor.personal === undefined
      ? undefined
      : personalWatchOf(environment.connection, environment.clock, place.stream.replicas)
  const own = load ?? (environment === undefined ? undefined : loadAggregate(place, registry, environment, erasures))
  return new ActorLogic(
    {
      place,
      load:
        own ??
        (() => {
          throw fault('INTERNAL', `${place.actor.name} has no server to read its aggregates from`)
        }),
      ...(environment === undefined
        ? {}
        : {
            wake: environment.wake,
            clock: environment.clock,
            answer: tellOutcome(environment.connection),
            isAsked: (command: StoredEvent) => replyOf(command) !== undefined,
            erasures,
          }),
    },
    memory,
  )
}
