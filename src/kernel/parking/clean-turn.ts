import type { StoredMessage } from '../../broker/stored-message.js'
import { isFault } from '../../error/millrace-error.js'
import type { EventDraft, StoredEvent } from '../../event/event.js'
import type { WireMessage } from '../../event/wire.js'
import type { OnFailure } from '../processor.js'
import { partitionOfCause } from '../partition-of-cause.js'
import { encodeAll, type TurnContext } from '../run-turn.js'
import type { Turn } from '../turn.js'

/** What an event led to that was handed over already, and that did not go as nearly every one does. */
export interface HandedOver {
  readonly drafts: readonly EventDraft[]
  readonly failures: readonly Parameters<OnFailure>[]
  readonly thrown: { readonly error: unknown } | undefined
}

export type Handed =
  { readonly kind: 'clean'; readonly turn: Turn } | { readonly kind: 'failed'; readonly handed: HandedOver }

const NOTHING: readonly never[] = []

/**
 * The turn of a message with one event where no key is parked: in nearly every one nothing fails, and it costs no more than
 * that of a processor that parks nothing. Where something does, what the logic made of it is for a ParkingTurn to judge.
 * @throws faults with disposition `crash`
 */
export function cleanTurn(context: TurnContext, message: StoredMessage, event: StoredEvent): Handed {
  let failures: Parameters<OnFailure>[] | undefined
  const note: OnFailure = (...failure) => void (failures ??= []).push(failure)
  let drafts: readonly EventDraft[]
  try {
    drafts = context.logic.turn(event, note, message)
  } catch (error) {
    if (isFault(error) && error.disposition === 'crash') throw error
    return failed(NOTHING, failures, { error })
  }
  if (failures !== undefined) return failed(drafts, failures)
  const { sequence, storedAt } = message
  let outputs: readonly WireMessage[] = NOTHING
  if (drafts.length > 0) {
    let whole = true
    const fail: OnFailure = () => void (whole = false)
    const place = { sequence, partition: partitionOfCause(context.processor, message.subject), cause: event, fail }
    outputs = encodeAll(context, drafts, place) ?? NOTHING
    if (!whole) return failed(drafts) // to be encoded once more, by who knows what to do about it
  }
  const turn: Turn = {
    sequence,
    storedAt,
    message,
    decision: undefined,
    outputs,
    deadLetters: NOTHING,
    outputsBefore: 0,
    failuresBefore: 0,
    parked: NOTHING,
  }
  return { kind: 'clean', turn }
}

function failed(
  drafts: readonly EventDraft[],
  failures: readonly Parameters<OnFailure>[] = NOTHING,
  thrown?: { readonly error: unknown },
): Handed {
  return { kind: 'failed', handed: { drafts, failures, thrown } }
}
