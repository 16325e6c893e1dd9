// The pure core of an actor: what a command leads to, from the state and nothing else.
//
// Invariants (tests cite them):
//   A1  The same command at the same state gives the same events, effects and ids, whoever decides and whenever.
//   A2  What is accepted can be taken: every event is of a declared contract and valid, and evolve has taken it.
//   A3  A decision that fails leaves the aggregate as it was; strict, a handler that changes what it is given is found.
import { fault, isFault, messageOf } from '../error/millrace-error.js'
import type { Event } from '../event/event.js'
import type { ActorDeclaration, DecideContext } from './actor-options.js'
import { decideContext, derivedId, type Aggregate, type CommandAtHand } from './aggregate.js'
import { isDraft, isEffect, isPromise, isRejection, nameOf, reject, type Rejection } from './decision.js'
import { aggregateEvent } from './decided-event.js'
import { onePerTimer, resolveEffect, type ResolvedEffect } from './decided-effect.js'
import { evolveAll, type StrictOptions } from './evolve.js'
import { deepFreeze, isFrozenError } from './frozen.js'

/** A command was accepted. */
export interface Accepted<State = unknown> {
  readonly kind: 'accepted'
  /** Complete, in order; none where the command changes nothing. */
  readonly events: readonly Event[]
  /** In order, with ids and times that follow from the command; at most one for each timer. */
  readonly effects: readonly ResolvedEffect[]
  /** After the events. */
  readonly state: State
  readonly version: number
  readonly closed: boolean
}

export type DecideResult<State = unknown> = Accepted<State> | Rejection

/** Code of the rejection that commands of a closed aggregate get. */
export const CLOSED = 'aggregate-closed'
/** Events and effects of one decision: more is a loop, or does not fit into a commit. */
const MOST = 10_000

/**
 * Decides a command.
 * @param aggregate as it is before; it stays as it is
 * @param command its key is the aggregate’s id
 * @param context where it is not what follows from the command
 * @throws COMMAND_UNKNOWN · DECIDE_FAILED, ACTOR_ASYNC, DECISION_INVALID of decide · what evolveAll throws ·
 *   DECIDE_MUTATES if `strict`
 */
export function decideCommand<State>(
  actor: ActorDeclaration<State>,
  aggregate: Aggregate<State>,
  command: CommandAtHand,
  context: DecideContext = decideContext(actor.name, aggregate, command),
  options: StrictOptions = {},
): DecideResult<State> {
  const decide = actor.decide.get(command.type)
  if (decide === undefined)
    throw fault(
      'COMMAND_UNKNOWN',
      `${actor.name} takes ${[...actor.decide.keys()].join(', ')}, and not ${command.type}`,
    )
  if (aggregate.closed === true)
    return { kind: 'rejected', code: CLOSED, message: `${actor.name} ${aggregate.id} is closed` }
  const at = `${actor.name} ${aggregate.id}, version ${aggregate.version}, ${command.type} (${command.id})`
  const invalid = (detail: string): never => {
    throw fault('DECISION_INVALID', `${at}: ${detail}`)
  }
  if (options.strict === true) {
    deepFreeze(aggregate.state)
    deepFreeze(command)
  }
  const decided = run(() => decide(aggregate.state, command, context), at, options.strict === true)
  if (isRejection(decided)) return asStored(decided, invalid)
  if (!Array.isArray(decided))
    return invalid(`decide has to return a list or reject(…), and returned ${nameOf(decided)}${hintOf(decided)}`)
  if (decided.length > MOST) return invalid(`${decided.length} events and effects, at most ${MOST} are one decision`)
  let base: string | undefined
  const idBase = (): string =>
    (base ??= derivedId(`${actor.name}:${context.id}`, actor.name, context.id, context.commandId))
  const events: Event[] = []
  const effects: ResolvedEffect[] = []
  for (const [at, item] of (decided as unknown[]).entries()) {
    if (isEffect(item)) effects.push(resolveEffect({ actor, context, idBase, ordinal: at, invalid }, item))
    else if (isDraft(item))
      events.push(aggregateEvent({ actor, context, version: aggregate.version + events.length + 1, invalid }, item))
    else invalid(`item ${at} of the list is ${nameOf(item)}${hintOf(item)}`)
  }
  const { state, version } = evolveAll(actor, aggregate, events, options)
  const closed = effects.some(({ effect }) => effect === 'close')
  return { kind: 'accepted', events, effects: onePerTimer(effects), state, version, closed }
}

/** The rejection that a sender gets and a repeated command finds again: what JSON makes of it. @throws DECISION_INVALID */
function asStored({ code, message, data }: Rejection, invalid: (detail: string) => never): Rejection {
  try {
    // with a code and a message it is the same as reject makes
    return JSON.parse(JSON.stringify(reject(code, message, data))) as Rejection
  } catch (error) {
    return invalid(isFault(error) ? error.detail : `the data of the rejection ${code} are no JSON: ${messageOf(error)}`)
  }
}

/** @throws DECIDE_FAILED, DECIDE_MUTATES, ACTOR_ASYNC, and DECISION_INVALID of send, setTimer and the like */
function run(decide: () => unknown, at: string, strict: boolean): unknown {
  let decided: unknown
  try {
    decided = decide()
  } catch (error) {
    if (isFault(error, 'DECISION_INVALID')) throw fault(error.code, `${at}: ${error.detail}`, { cause: error })
    const code = strict && isFrozenError(error) ? 'DECIDE_MUTATES' : 'DECIDE_FAILED'
    throw fault(code, `${at}: ${messageOf(error)}`, { cause: error })
  }
  if (!isPromise(decided)) return decided
  // its end does not matter any more: it is the promise that is wrong
  Promise.resolve(decided).catch(() => undefined)
  throw fault('ACTOR_ASYNC', `decide, ${at}`)
}

function hintOf(value: unknown): string {
  if (isRejection(value)) return '; return it in place of the list'
  if (Array.isArray(value)) return '; spread it: ...list'
  if (isDraft(value) || isEffect(value)) return '; put it into a list'
  return value === undefined ? '; return [] where nothing happens' : ''
}
