import type { ActorDeclaration } from '../actor/actor-options.js'
import type { Aggregate } from '../actor/aggregate.js'
import type { DecideResult } from '../actor/decider.js'
import { evolveAll, newAggregate } from '../actor/evolve.js'
import { openState } from '../actor/stored-state.js'
import { fault, messageOf } from '../error/millrace-error.js'
import type { Event } from '../event/event.js'
import { firstDifference, plainJson } from './first-difference.js'

/** A decision that is made again. */
export interface ReplayedDecision<State> {
  readonly actor: ActorDeclaration<State>
  readonly aggregate: Aggregate<State>
  readonly history: readonly Event[]
  readonly command: Event
  readonly decide: (aggregate: Aggregate<State>) => DecideResult<State>
}

/**
 * Decides a command again as after a restart: with the state as JSON brings it back, and with the one that evolve makes
 * of the stored events.
 * @throws ACTOR_REPLAY_DIFFERS naming what is different
 */
export function checkReplay<State>(replayed: ReplayedDecision<State>, live: DecideResult<State>): void {
  const { actor, aggregate, history } = replayed
  compare(replayed, live, 'the state as it is stored', () => {
    const { id, version, state } = aggregate
    const text = JSON.stringify(state) as string | undefined
    const stored = text === undefined ? undefined : (JSON.parse(text) as unknown)
    const frame = { sv: actor.version, v: version, ...(stored === undefined ? {} : { s: stored }) }
    const opened = openState(actor, frame, `${actor.name} ${id}, version ${version}`)
    if (opened.kind !== 'usable')
      throw fault('AGGREGATE_STATE_INVALID', `${actor.name} ${id}: a state of type ${typeof state}`)
    return { ...aggregate, state: opened.state as State }
  })
  compare(replayed, live, 'the state that evolve makes of the stored events', () => {
    const events = history.map((event) => ({ ...event, data: readData(actor, event) }))
    return { ...evolveAll(actor, newAggregate(actor, aggregate.id), events), closed: aggregate.closed ?? false }
  })
}

function compare<State>(
  { actor, aggregate, command, decide }: ReplayedDecision<State>,
  live: DecideResult<State>,
  what: string,
  read: () => Aggregate<State>,
): void {
  const at = `${actor.name} ${aggregate.id}, version ${aggregate.version}, ${command.type} ${JSON.stringify(command.data)}`
  const differs = (detail: string, cause?: unknown): never => {
    throw fault('ACTOR_REPLAY_DIFFERS', `${at}; from ${what}: ${detail}`, { cause })
  }
  let again: DecideResult<State>
  try {
    again = decide(read())
  } catch (error) {
    return differs(messageOf(error), error)
  }
  const difference = firstDifference(plainJson(live), plainJson(again))
  if (difference !== undefined) differs(difference)
}

function readData(actor: ActorDeclaration, event: Event): unknown {
  const checked = actor.events.find(({ type }) => type === event.type)?.check(plainJson(event.data), event.version)
  if (checked?.ok === true) return checked.data
  throw fault(
    'EVENT_DATA_INVALID',
    `${event.type} (${event.id}) cannot be read back: ${checked?.detail ?? 'no contract'}`,
  )
}
