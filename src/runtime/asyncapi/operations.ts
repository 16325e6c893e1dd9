import type { EventContract } from '../../event/contract.js'
import type { Deployment } from '../deployment.js'

/** What a part of a deployment takes from streams, or puts into them. */
export interface Operation {
  readonly action: 'send' | 'receive'
  readonly kind:
    | 'pipeline'
    | 'rule'
    | 'actor'
    | 'reaction'
    | 'view'
    | 'handler'
    | 'webhook'
    | 'schedule'
    | 'outbox'
    | 'sink'
    | 'source'
  /** Unique among those of one action: kind and name. */
  readonly name: string
  readonly types: readonly string[]
  /** How it keeps its place in the stream. */
  readonly consumer?: string
}

const POSITION = 'ordered, its position committed with its outputs'
const SHARED = 'durable, with explicit acknowledgements, shared by all processes'
const OWN_PLACE = 'ordered, its position kept beside what it has done'

/** What reads and makes what, in the order of kinds and names. */
export function operationsOf(deployment: Deployment): readonly Operation[] {
  const parts = [pipelines, rules, actors, views, handlers, schedules, outboxes, edges]
  return parts
    .flatMap((part) => part(deployment))
    .filter(({ types }) => types.length > 0)
    .map((operation) => ({ ...operation, types: [...new Set(operation.types)].sort() }))
    .sort((a, b) => (`${a.name} ${a.action}` < `${b.name} ${b.action}` ? -1 : 1))
}

function pipelines({ pipelines: all }: Deployment): Operation[] {
  return all.flatMap(({ name, inputs, outputs }) => [
    receive(
      'pipeline',
      name,
      inputs.flatMap(({ events }) => events.map(({ type }) => type)),
    ),
    send(
      'pipeline',
      name,
      outputs.flatMap(({ events }) => events.map(({ type }) => type)),
    ),
  ])
}

function rules({ rules: all }: Deployment): Operation[] {
  return all.flatMap(({ rule }) => [
    receive('rule', rule.name, rule.eventTypes),
    send('rule', rule.name, rule.outputTypes),
  ])
}

function actors({ actors: all }: Deployment): Operation[] {
  return all.flatMap(({ actor }) => [
    receive(
      'actor',
      actor.name,
      actor.commands.map(({ type }) => type),
    ),
    send(
      'actor',
      actor.name,
      actor.events.map(({ type }) => type),
    ),
    receive(
      'reaction',
      actor.name,
      actor.reactions.map(({ contract }) => contract.type),
    ),
  ])
}

function views({ views: all = [] }: Deployment): Operation[] {
  return all.map(({ name, from }) =>
    receive(
      'view',
      name,
      from.events.map(({ type }) => type),
    ),
  )
}

function handlers({ handlers: all = [], ordered = [] }: Deployment): Operation[] {
  return [...all, ...ordered].flatMap(({ declaration: { name, on, emits, order }, webhook }) => {
    const kind = webhook === undefined ? 'handler' : 'webhook'
    const consumer = order === 'key' ? POSITION : SHARED
    return [receive(kind, name, typesOf(on.events), consumer), send(kind, name, typesOf(emits?.events ?? []))]
  })
}

function schedules({ schedules: all = [] }: Deployment): Operation[] {
  return all.map(({ declaration: { name, events } }) => send('schedule', name, typesOf(events)))
}

function outboxes({ outboxes: all = [] }: Deployment): Operation[] {
  return all.map(({ declaration: { name, events } }) => send('outbox', name, typesOf(events)))
}

function edges({ edges: all = [] }: Deployment): Operation[] {
  return all.map(({ declaration }) =>
    'from' in declaration
      ? receive('sink', declaration.name, typesOf(declaration.from.events), OWN_PLACE)
      : send('source', declaration.name, typesOf(declaration.to.events)),
  )
}

function typesOf(contracts: readonly EventContract[]): readonly string[] {
  return contracts.map(({ type }) => type)
}

function receive(
  kind: Operation['kind'],
  name: string,
  types: readonly string[],
  consumer: string = POSITION,
): Operation {
  return { action: 'receive', kind, name: `${kind}-${name}`, types, consumer }
}

function send(kind: Operation['kind'], name: string, types: readonly string[]): Operation {
  return { action: 'send', kind, name: `${kind}-${name}`, types }
}
