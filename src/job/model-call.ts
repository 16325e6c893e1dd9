// One call of a model: asked once, read to its end, billed, judged. It repeats nothing and stores nothing; whoever
// calls it does.
//
// Invariants (tests cite them):
//   MC1  Every call ends with a verdict, however its connection behaves: complete, failed with a class, or aborted.
//   MC2  What was billed is recorded before the answer is looked at, also of a call that failed, and once.
//   MC3  An answer without `message_stop` is a failure.
import type { z } from 'zod'
import type { Issue } from '../error/millrace-error.js'
import type { Clock } from '../time/clock.js'
import { CallWatchdog, type WatchdogLimits, type WatchdogReason } from './call-watchdog.js'
import { classifyFailure, type FailureClass } from './classify-failure.js'
import { MessageAssembly } from './message-assembly.js'
import type { CallFacts, ModelAsk, ModelClient, OpenAnswer } from './model-client.js'
import { readRateHeaders, type RateStates } from './rate-headers.js'
import { readResult } from './result-schema.js'
import { readRetryAfter, type ReadHeader } from './retry-after.js'
import type { Usage } from './usage.js'

export interface ModelCallOptions<Schema extends z.ZodType> {
  readonly client: ModelClient
  readonly ask: ModelAsk
  /** What the answer has to be; undefined: any text. `ask.schema` says the same to the model. */
  readonly result: Schema | undefined
  readonly clock: Clock
  readonly limits: WatchdogLimits
  /** Ends the call: its lease was lost, or the process stops. */
  readonly signal: AbortSignal
  /** Stores what was billed. It is waited for before the answer is read. */
  readonly record: (billed: BilledCall) => Promise<void>
  /** Text, as it comes. */
  readonly onText?: (text: string) => void
}

/** What a call is billed, as it is known when it ends. */
export interface BilledCall {
  readonly usage: Usage
  /** The answer broke off before the provider said how much output it was. */
  readonly estimated: boolean
  /** As the provider calls it. */
  readonly model: string
  readonly requestId: string | undefined
}

/** What there is beside the verdict. */
interface CallDetails {
  readonly requestId: string | undefined
  /** undefined: nothing was. */
  readonly billed: BilledCall | undefined
  /** What the provider says is left of its limits. */
  readonly rates: RateStates
}

export type CallOutcome<Result> = CallDetails &
  (
    | { readonly kind: 'valid'; readonly result: Result; readonly text: string; readonly stopReason: string }
    /** It is not what the schema says. */
    | {
        readonly kind: 'invalid'
        readonly issues: readonly Issue[]
        readonly text: string
        readonly stopReason: string
      }
    /** It ends where its tokens were used up. */
    | { readonly kind: 'truncated'; readonly text: string; readonly stopReason: string }
    /** The model declines. */
    | { readonly kind: 'refused'; readonly category: string | undefined; readonly text: string }
    | {
        readonly kind: 'failed'
        readonly failure: FailureClass
        readonly message: string
        /** What the provider asks for, in ms. */
        readonly retryAfter: number | undefined
      }
    /** By `signal`. */
    | { readonly kind: 'aborted' }
  )

const TRUNCATED: readonly string[] = ['max_tokens', 'model_context_window_exceeded']

/**
 * Asks a model once.
 * @throws what `record` throws: without it nobody knows what was billed
 */
export async function callModel<Schema extends z.ZodType>(
  options: ModelCallOptions<Schema>,
): Promise<CallOutcome<z.output<Schema>>> {
  const { ask, clock, record } = options
  const assembly = new MessageAssembly()
  const read = await readAnswer(options, assembly)
  const header: ReadHeader = read.facts?.header ?? read.answer?.header ?? (() => undefined)
  const requestId = read.facts?.requestId ?? read.answer?.requestId
  const model = assembly.model ?? ask.model
  const billed = assembly.begun ? { ...assembly.usage(), model, requestId } : undefined
  if (billed !== undefined) await record(billed)
  const details: CallDetails = { requestId, billed, rates: readRateHeaders(header) }
  if (read.facts === undefined) return { ...details, ...judged(assembly, options.result) }
  // an answer that is complete is one, whatever became of its connection afterwards
  if (assembly.complete) return { ...details, ...judged(assembly, options.result) }
  if (options.signal.aborted) return { ...details, kind: 'aborted' }
  const failure = classifyFailure(read.facts)
  const retryAfter = readRetryAfter(header, clock.now())
  return { ...details, kind: 'failed', failure, message: read.facts.message, retryAfter }
}

interface Reading {
  readonly answer: OpenAnswer | undefined
  /** undefined: it was read to its end. */
  readonly facts: CallFacts | undefined
}

/** Reads what there is. Never throws. */
async function readAnswer(options: ModelCallOptions<z.ZodType>, assembly: MessageAssembly): Promise<Reading> {
  const { client, ask, clock, limits, signal, onText } = options
  const giveUp = new AbortController()
  const onAbort = (): void => giveUp.abort(signal.reason)
  if (signal.aborted) onAbort()
  else signal.addEventListener('abort', onAbort, { once: true })
  let expired: WatchdogReason | undefined
  const watchdog = new CallWatchdog(clock, limits, (reason) => {
    expired = reason
    giveUp.abort()
  })
  let answer: OpenAnswer | undefined
  const ended = (from: 'cut' | 'slow' | WatchdogReason, message: string): CallFacts => ({
    from,
    message,
    requestId: answer?.requestId,
    header: answer?.header ?? (() => undefined),
  })
  const given = (): CallFacts | undefined => {
    if (expired === 'idle') return ended('idle', 'no sign of life')
    if (expired === 'timeout') return ended(assembly.begun ? 'slow' : 'timeout', 'it takes too long')
    return assembly.complete ? undefined : ended('cut', 'the stream ended without message_stop')
  }
  try {
    answer = await client.open(ask, giveUp.signal, watchdog.alive)
    for await (const event of answer.events) {
      watchdog.alive()
      const text = assembly.add(event)
      if (text !== '') onText?.(text)
    }
    return { answer, facts: given() }
  } catch (error) {
    return { answer, facts: expired === undefined ? withAnswer(client.factsOf(error), answer) : given() }
  } finally {
    watchdog.stop()
    signal.removeEventListener('abort', onAbort)
  }
}

/** An error in a stream has no headers of its own; those of the answer say what it is. */
function withAnswer(facts: CallFacts, answer: OpenAnswer | undefined): CallFacts {
  if (answer === undefined) return facts
  return {
    ...facts,
    requestId: facts.requestId ?? answer.requestId,
    header: (name) => facts.header(name) ?? answer.header(name),
  }
}

function judged<Schema extends z.ZodType>(assembly: MessageAssembly, schema: Schema | undefined) {
  const { text } = assembly
  const stopReason = assembly.stopReason ?? 'unknown'
  if (stopReason === 'refusal') return { kind: 'refused' as const, category: assembly.refusalCategory, text }
  if (TRUNCATED.includes(stopReason)) return { kind: 'truncated' as const, text, stopReason }
  if (schema === undefined) return { kind: 'valid' as const, result: text as z.output<Schema>, text, stopReason }
  return { ...readResult(schema, text), text, stopReason }
}
