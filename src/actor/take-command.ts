// What one command does to an aggregate, worked out without touching anything: the messages to be stored, in one batch,
// and what the aggregate is then. Deterministic, so that a command that is decided again after a crash is decided alike.
//
// Invariants (tests cite them):
//   AL4  A command id has one effect, as long as the aggregate remembers it, also beyond what the stream remembers.
//   AL5  A decision is stored whole: its events, what it sends, its timers and its snapshot are in one batch.
import type { WireMessage } from '../event/wire.js'
import type { StoredEvent } from '../event/event.js'
import { fault } from '../error/millrace-error.js'
import { frameOf, residentSize, type ResidentAggregate, type AggregateFacts } from './resident-aggregate.js'
import { snapshotMessage } from './aggregate-snapshot.js'
import type { ActorPlace } from './actor-place.js'
import { decideContext } from './aggregate.js'
import { decideCommand, type DecideResult } from './decider.js'
import { DecisionEffects } from './decision-effects.js'
import { encodeRecord } from './encode-record.js'
import type { OpenStep } from './mailbox-entries.js'
import type { Outcome } from './outcome.js'
import { sealEvents, sealFacts } from './seal-personal.js'
import { commandMark, isRemembered, remember } from './remembered.js'
import { dueOfSetting, timerOf, type TimerSetting } from './timer-message.js'

/** Where a command comes from. */
export interface Occasion {
  /** Its sequence in the command stream; 0: it is the result of a step. */
  readonly sequence: number
  /** It does not wait for earlier timers any more. */
  readonly late?: boolean
  /** Settings of timers whose commands have failed: it waits for none of them. */
  readonly failed?: readonly string[] | undefined
}

export type Taken =
  /** It was decided before. */
  | { readonly kind: 'repeated' }
  /** It is of a timer that was replaced or cancelled. */
  | { readonly kind: 'overtaken' }
  /** It is of a timer, and that of one that is due before it has yet to come: the server fires missed ones in any order. */
  | { readonly kind: 'early' }
  | {
      readonly kind: 'decided'
      readonly messages: readonly WireMessage[]
      readonly facts: AggregateFacts
      /** Roughly what the aggregate takes in memory then. */
      readonly size: number
      readonly verdict: DecideResult
      readonly steps: readonly OpenStep[]
      /** Whether a snapshot is among the messages. */
      readonly snapshot: boolean
    }

/** All of a decision fits one batch beside what the kernel stores with it. */
const MOST_MESSAGES = 500
const MOST_BYTES = 6 * 1024 * 1024
const NONE: readonly string[] = []
const NO_EFFECTS: { readonly steps: readonly OpenStep[] } = { steps: [] }

/**
 * Works out what a command does.
 * @param open ids of steps that stay open
 * @throws what decide throws, and what cannot be stored of its decision, by code
 */
export function takeCommand(
  place: ActorPlace,
  aggregate: ResidentAggregate,
  command: StoredEvent,
  occasion: Occasion,
  open: readonly string[] = [],
): Taken {
  const { actor } = place
  const mark = commandMark(command.id)
  if (isRemembered(aggregate.remembered, mark)) return { kind: 'repeated' }
  const timer = timerOf(command)
  if (timer !== undefined && aggregate.timers?.[timer.name] !== timer.setting) return { kind: 'overtaken' }
  if (timer !== undefined && occasion.late !== true && isEarly(aggregate, timer.setting, occasion.failed))
    return { kind: 'early' }
  const { id, version, state, closed } = aggregate
  const context = decideContext(actor.name, aggregate, command)
  const verdict = decideCommand(actor, { id, version, state, closed }, command, context)
  const effects = effectsOf(place, aggregate, command, verdict, timer)
  const facts: AggregateFacts = {
    version: verdict.kind === 'accepted' ? verdict.version : version,
    state: verdict.kind === 'accepted' ? verdict.state : state,
    remembered: actor.remember === 0 ? undefined : remember(aggregate.remembered, mark, actor.remember),
    timers: effects === undefined ? aggregate.timers : effects.timers,
    closed: closed || effects?.closes === true,
    archived: aggregate.archived,
    storedAt: aggregate.storedAt,
  }
  return compose(place, aggregate, { command, occasion, verdict, effects, facts, open })
}

/** Most decisions have none, and come from no timer. */
function effectsOf(
  place: ActorPlace,
  aggregate: ResidentAggregate,
  command: StoredEvent,
  verdict: DecideResult,
  timer: TimerSetting | undefined,
): DecisionEffects | undefined {
  const taken = verdict.kind === 'accepted' ? verdict.effects : []
  if (taken.length === 0 && timer === undefined) return undefined
  const effects = new DecisionEffects(place, aggregate, command, timer)
  effects.take(taken)
  return effects
}

/** Whether a timer has to wait for another one that is due before it. @param failed settings that it does not wait for */
export function isEarly(
  { timers = {} }: ResidentAggregate,
  setting: string,
  failed: readonly string[] | undefined = NONE,
): boolean {
  const due = dueOfSetting(setting)
  for (const name in timers) {
    const other = timers[name] ?? ''
    if (dueOfSetting(other) < due && !failed.includes(other)) return true
  }
  return false
}

interface Decision {
  readonly command: StoredEvent
  readonly occasion: Occasion
  readonly verdict: DecideResult
  readonly effects: DecisionEffects | undefined
  readonly facts: AggregateFacts
  readonly open: readonly string[]
}

function compose(place: ActorPlace, aggregate: ResidentAggregate, decision: Decision): Taken {
  const { actor, stream, maxPayload } = place
  const { command, occasion, verdict, effects, facts } = decision
  const { id, key } = aggregate
  const { steps } = effects ?? NO_EFFECTS
  const open = steps.length === 0 ? decision.open : [...decision.open, ...steps.map((step) => step.id)]
  const frame = frameOf(sealFacts(actor, key, id, facts), actor.version, open, key?.subject)
  const record = encodeRecord({
    type: actor.name,
    id,
    before: aggregate.version,
    effects: [
      {
        commandId: command.id,
        sequence: occasion.sequence,
        time: command.storedAt,
        correlationId: command.correlationId ?? command.id,
        events: verdict.kind === 'accepted' ? sealEvents(actor, key, verdict.events) : [],
        rejected: verdict.kind === 'rejected' ? reasonOf(verdict) : undefined,
      },
    ],
    frame,
    carry: actor.snapshot.carry,
    root: stream.root,
    maxPayload,
  })
  const due = !record.carried && facts.version - aggregate.storedAt >= actor.snapshot.every
  const snapshot = due && !aggregate.snapshotOpen
  let messages = effects === undefined ? record.messages : effects.around(record.messages)
  if (snapshot) messages = [...messages, snapshotMessage(stream.name, actor.name, id, frame, maxPayload)]
  requireFit(actor.name, id, messages)
  const storedAt = record.carried || snapshot ? facts.version : facts.storedAt
  const after = { ...facts, storedAt }
  return {
    kind: 'decided',
    messages,
    facts: after,
    size: record.carried ? residentSize(after, id, record.frameSize - (after.remembered?.length ?? 0)) : aggregate.size,
    verdict,
    steps,
    snapshot,
  }
}

function requireFit(actor: string, id: string, messages: readonly WireMessage[]): void {
  let bytes = 0
  for (const { data } of messages) bytes += data.length
  if (messages.length <= MOST_MESSAGES && bytes <= MOST_BYTES) return
  const what = `${actor} ${JSON.stringify(id)}: ${messages.length} messages, ${bytes} bytes`
  throw fault('DECISION_TOO_LARGE', `${what}; at most ${MOST_MESSAGES} and ${MOST_BYTES}`)
}

function reasonOf({ code, message, data }: Extract<DecideResult, { kind: 'rejected' }>): {
  code: string
  message: string
  data?: unknown
} {
  return data === undefined ? { code, message } : { code, message, data }
}

/** What whoever has sent a command is told of it. @param before version of the aggregate then */
export function outcomeOf(id: string, commandId: string, before: number, verdict: DecideResult): Outcome {
  if (verdict.kind === 'rejected') return { kind: 'rejected', commandId, id, version: before, ...reasonOf(verdict) }
  const events = verdict.events.map((event) => ({ id: event.id, type: event.type }))
  return { kind: 'accepted', commandId, id, version: verdict.version, events }
}
