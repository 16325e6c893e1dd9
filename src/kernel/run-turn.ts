import type { StoredMessage } from '../broker/stored-message.js'
import { isFault } from '../error/millrace-error.js'
import { decodeEvents, type DecodedEvent } from '../event/decode-event.js'
import type { EventDraft, StoredEvent } from '../event/event.js'
import type { Registry } from '../event/registry.js'
import type { WireMessage } from '../event/wire.js'
import { failureReason, type DeadLetterReason } from './dead-letter.js'
import { LETTER_HEADER, LETTERS_OPEN } from './letter-message.js'
import { isComposed } from './composed-draft.js'
import type { Decision } from './decision.js'
import { encodeOutput } from './output.js'
import { partitionOfCause } from './partition-of-cause.js'
import { processorId, type Logic, type OnFailure, type Processor } from './processor.js'
import { shareOf } from './share.js'
import type { Turn } from './turn.js'

/** What a turn needs beside its message. */
export interface TurnContext {
  readonly processor: Processor
  readonly logic: Logic
  readonly registry: Registry
  /** Largest message of the server in bytes: a larger output is a dead letter of its cause. Default no limit. */
  readonly maxPayload?: number
}

/** Where a decision is taken: after which message, and how many outputs and failures that one and others had already. */
export interface DecisionPlace {
  readonly sequence: number
  readonly partition: number
  readonly ordinal: number
  readonly failures: number
}

/** An event that is none of the processor’s; it keeps its place among those of its message. */
export interface PassedOver {
  readonly kind: 'passed'
}

/** A message read against its contract. */
export type Input = readonly (DecodedEvent | PassedOver)[]

/** What the server writes when the messages of a subject have expired. */
const MARKER = 'Nats-Marker-Reason'
const NOTHING: readonly WireMessage[] = []
const NO_INPUT: Input = []
const NO_FAILURES: readonly DeadLetterReason[] = []

/** Reads the events of a message; none when it is a marker that the server wrote. Never throws. */
export function readInput({ processor, registry, logic }: TurnContext, message: StoredMessage): Input {
  const { sequence, storedAt } = message
  if (processor.passes?.(message.subject) === true) return NO_INPUT
  const share = processor.from.taken === undefined ? 'own' : shareOf(processor.from, message.subject)
  if (share === 'others') return NO_INPUT
  // of a stream that holds aggregates everything is read, whatever a processor wants
  const types = processor.from.stream.aggregates === true ? processor.from.types : undefined
  const type = logic.wants === undefined && types === undefined ? undefined : message.headers.get('ce-type')
  if (type !== undefined && (logic.wants?.(type, storedAt) === false || types?.includes(type) === false))
    return NO_INPUT
  const input = decodeEvents(registry, message, {
    stream: processor.from.stream.name,
    sequence,
    storedAt,
    kept: processor.memory !== 'none',
  })
  if (input[0]?.kind === 'rejected' && isMarker(message)) return NO_INPUT
  if (share === 'nobody') return input.map((one) => (one.kind === 'event' ? PASSED : one))
  return types === undefined ? input : wantedOf(input, types)
}

/** What is wrong with events of other types is a matter of who minds the contracts of the stream. */
function wantedOf(input: readonly DecodedEvent[], types: readonly string[]): Input {
  const wanted = (one: DecodedEvent): boolean => {
    const type = one.kind === 'event' ? one.event.type : one.type
    return type !== undefined && types.includes(type)
  }
  if (!input.some(wanted)) return NO_INPUT
  return input.map((one) => (wanted(one) ? one : PASSED))
}

const PASSED: PassedOver = { kind: 'passed' }

function isMarker({ data, headers }: StoredMessage): boolean {
  return data.length === 0 && (headers.get(MARKER) !== undefined || headers.get(LETTER_HEADER) === LETTERS_OPEN)
}

/**
 * Runs one message through a processor: decode against its contract, hand over, give each output the identity that
 * follows from its cause. Deterministic: the same messages in the same order make the same turns.
 * @throws only faults with disposition `crash`; everything else becomes the turn’s dead letter
 */
export function runTurn(context: TurnContext, message: StoredMessage, input = readInput(context, message)): Turn {
  const { sequence, storedAt } = message
  let outputs: WireMessage[] | undefined
  let failures: DeadLetterReason[] | undefined
  let at = -1
  const fail: OnFailure = (error, _poison, whose) =>
    void (failures ??= []).push(ofMember(failureReason(context.processor, error, whose), input, at))
  for (const decoded of input) {
    at += 1
    if (decoded.kind === 'passed') continue
    if (decoded.kind === 'rejected') {
      const { code, detail, issues } = decoded
      ;(failures ??= []).push(ofMember({ processor: 'contract', code, detail, issues }, input, at))
      continue
    }
    let drafts: readonly EventDraft[]
    try {
      drafts = context.logic.turn(decoded.event, fail, message)
    } catch (error) {
      drafts = failed(error, fail)
    }
    if (drafts.length === 0) continue
    const partition = partitionOfCause(context.processor, message.subject)
    outputs = encodeAll(context, drafts, { sequence, partition, cause: decoded.event, fail }, outputs)
  }
  return {
    sequence,
    storedAt,
    message,
    decision: undefined,
    outputs: outputs ?? NOTHING,
    deadLetters: failures ?? NO_FAILURES,
    outputsBefore: 0,
    failuresBefore: 0,
  }
}

/** A failure as that of one event of a message, when it has others. */
export function ofMember(reason: DeadLetterReason, input: Input, at: number): DeadLetterReason {
  return input.length > 1 ? { ...reason, member: at } : reason
}

/** Takes a decision: what follows from it is numbered after what the message before it led to. */
export function runDecision(context: TurnContext, decision: Decision, place: DecisionPlace): Turn {
  const { logic, processor } = context
  const failures: DeadLetterReason[] = []
  const fail: OnFailure = (error, _poison, whose) => void failures.push(failureReason(processor, error, whose))
  let drafts: readonly EventDraft[] = []
  try {
    if (decision.kind === 'tick') drafts = logic.tick?.(decision.time, fail) ?? []
    if (decision.kind === 'step') drafts = logic.settle?.(decision.id, decision.outcome, fail) ?? []
  } catch (error) {
    drafts = failed(error, fail)
  }
  return decisionTurn(context, decision, place, drafts, failures, fail)
}

/**
 * Lets time pass before a message whose turn comes next. @returns the tick that this was, when the message has to wait
 * for a step; undefined: its turn has to follow now
 */
export function runAdvance(context: TurnContext, input: Input, place: DecisionPlace): Turn | undefined {
  const { logic, processor } = context
  const first = logic.advance === undefined ? undefined : input.find((decoded) => decoded.kind === 'event')
  if (first?.kind !== 'event') return undefined
  const failures: DeadLetterReason[] = []
  const fail: OnFailure = (error) => void failures.push(failureReason(processor, error))
  const advance = logic.advance?.(first.event, fail)
  if (advance === undefined) return undefined
  return decisionTurn(context, { kind: 'tick', time: advance.time }, place, advance.outputs, failures, fail)
}

function decisionTurn(
  context: TurnContext,
  decision: Decision,
  { sequence, partition, ordinal, failures: failuresBefore }: DecisionPlace,
  drafts: readonly EventDraft[],
  deadLetters: DeadLetterReason[],
  fail: OnFailure,
): Turn {
  const outputs = encodeAll(context, drafts, { sequence, partition, cause: undefined, fail, first: ordinal })
  return {
    sequence,
    storedAt: 0,
    message: undefined,
    decision,
    outputs: outputs ?? NOTHING,
    deadLetters,
    outputsBefore: ordinal,
    failuresBefore,
    ...(decision.kind === 'step' ? { result: JSON.stringify(decision.outcome).length } : {}),
  }
}

/** The turn of a message that is passed over, because handling it ended the process again and again. */
export function skipTurn({ processor }: TurnContext, message: StoredMessage, reason: unknown): Turn {
  const { sequence, storedAt } = message
  const decision: Decision = { kind: 'skip', sequence }
  const deadLetters = [failureReason(processor, reason)]
  const before = { outputsBefore: 0, failuresBefore: 0 }
  return { sequence, storedAt, message, decision, outputs: NOTHING, deadLetters, ...before }
}

function failed(error: unknown, fail: OnFailure): readonly EventDraft[] {
  if (isFault(error) && error.disposition === 'crash') throw error
  fail(error)
  return []
}

export interface OutputCause {
  readonly sequence: number
  readonly partition: number
  readonly cause: StoredEvent | undefined
  readonly fail: OnFailure
  /** Number of the first output. Default: how many there are already. */
  readonly first?: number
}

/** One draft that is no event must not take the others with it. @returns the outputs so far, when there are some */
export function encodeAll(
  context: TurnContext,
  drafts: readonly EventDraft[],
  at: OutputCause,
  outputs?: WireMessage[],
): WireMessage[] | undefined {
  const { processor, maxPayload = Number.POSITIVE_INFINITY } = context
  const { sequence, partition, cause, first = 0 } = at
  let all = outputs
  for (const draft of drafts)
    try {
      const ordinal = first + (all?.length ?? 0)
      if (isComposed(draft)) {
        const own = draft.compose({ processor: processorId(processor), partition, sequence, ordinal, maxPayload })
        ;(all ??= []).push(...own)
        continue
      }
      const output = encodeOutput(processor, draft, { sequence, partition, cause, ordinal, maxPayload })
      // most turns have one, and an array that grows has room for many
      if (all === undefined) all = [output]
      else all.push(output)
    } catch (error) {
      at.fail(error, false, processor.partOf?.(draft))
    }
  return all
}
