import type { StoredMessage } from '../../broker/stored-message.js'
import { fault, type MillraceError } from '../../error/millrace-error.js'
import type { Registry } from '../../event/registry.js'
import { parseStoredSubject } from '../../event/subject.js'
import { redrivenPartition } from '../../kernel/input-filters.js'
import type { JournalEntry } from '../../kernel/decision.js'
import { partitionsOf, processorId, WHOLE, type Processor } from '../../kernel/processor.js'
import type { StepEnvironment } from '../../kernel/step-environment.js'
import type { Clock } from '../../time/clock.js'
import { failureFault, failureOf, type VerifyFailure } from './failure.js'
import type { Finding } from './finding.js'
import type { VerifiedMode } from './likely-cause.js'
import { recordHistory, type Recording, type StepCounts } from './record-history.js'
import { runSteps } from './run-steps.js'
import { verifyHistory, type TrialProgress, type Verdict } from './verify-history.js'

export interface VerifyOptions {
  readonly processor: Processor
  readonly registry: Registry
  readonly mode: VerifiedMode
  /** What its units read, all partitions together, oldest first. */
  readonly messages: readonly StoredMessage[]
  /** Decisions of its units while they ran live, by partition. */
  readonly journals?: ReadonlyMap<string, readonly JournalEntry[]>
  /** Most places at which it is crashed. Default: as many as take some seconds. */
  readonly points?: number | undefined
  /** Runs steps of which there is no recorded result; their effects are real. Default false. */
  readonly runSteps?: boolean
  /** What they find there. Default: they run without a server. */
  readonly environment?: StepEnvironment
  readonly clock: Clock
  readonly signal: AbortSignal
  readonly onProgress?: (progress: VerifyProgress) => void
}

/** How far it is. */
export interface VerifyProgress {
  /** Crashes so far. */
  readonly points: number
  /** From 0 to 1. */
  readonly fraction: number
}

export interface VerifyReport {
  readonly processor: string
  /** Units that had messages. */
  readonly units: number
  readonly messages: number
  /** Messages and decisions that were given: each is a place for a crash. */
  readonly items: number
  readonly outputs: number
  readonly deadLetters: number
  readonly ticks: Recording['ticks']
  readonly steps: Readonly<StepCounts>
  /** Crashes of which each was tried by itself, and one of how many items that is. */
  readonly points: number
  readonly every: number
  /** Of these, so many were run to the end of the range. */
  readonly toEnd: number
  /** Crashes one after another in one run. */
  readonly chained: number
  readonly failure: VerifyFailure | undefined
}

/** Turns that a verification takes, about, unless a number of places is asked for. */
const WORK = 250_000
const POINTS = 10_000
/** How long others wait for the event loop, in ms. */
const SLICE_MS = 30

/**
 * Runs a processor over recorded input again and again, crashed at every place or at as many as there is time for, and
 * compares: outputs with their ids, dead letters and state. Needs no server, and has no effects but those of steps, if
 * they are to be run. Ends with the first unit that is not the same.
 * @throws VERIFY_NOTHING; what ends `signal`
 */
export async function verifyProcessor(options: VerifyOptions): Promise<VerifyReport> {
  const { processor, messages, signal } = options
  const units = unitsOf(processor, messages)
  if (units.size === 0) throw fault('VERIFY_NOTHING', processorId(processor))
  const total = new Total(options, units.size)
  for (const [partition, own] of units) {
    signal.throwIfAborted()
    if (total.failure === undefined) await verifyUnit(options, total, partition, own)
  }
  return total
}

/** @returns VERIFY_FAILED for a report with a failure, to be thrown */
export function verifyFault({ processor, units, failure }: VerifyReport): MillraceError | undefined {
  if (failure === undefined) return undefined
  const whole = units === 1 || failure.partition === WHOLE
  return failureFault(whole ? processor : `${processor}, partition ${failure.partition}`, failure)
}

function unitsOf(processor: Processor, messages: readonly StoredMessage[]): Map<string, StoredMessage[]> {
  const units = new Map<string, StoredMessage[]>()
  const { root } = processor.from.stream
  const known = new Set(partitionsOf(processor))
  for (const message of messages) {
    const place = redrivenPartition(processor, message.subject) ?? parseStoredSubject(root, message.subject)?.partition
    const partition = known.has(WHOLE) ? WHOLE : String(place ?? 0)
    if (!known.has(partition)) continue
    const own = units.get(partition)
    if (own === undefined) units.set(partition, [message])
    else own.push(message)
  }
  return units
}

async function verifyUnit(
  options: VerifyOptions,
  total: Total,
  partition: string,
  messages: readonly StoredMessage[],
): Promise<void> {
  const { processor, registry, journals, clock, signal, mode } = options
  const breathe = breather(clock, signal)
  const input = { processor, registry, partition, messages, journal: journals?.get(partition) ?? [] }
  const recording = await recordHistory(input, {
    breathe,
    runSteps: options.runSteps === true ? (steps) => runSteps(options, steps) : undefined,
  })
  total.recorded(recording)
  const share = messages.length / options.messages.length
  const { history, stopped } = recording
  const fail = (finding: Finding): void => {
    total.failure = failureOf(finding, { partition, items: history.length, mode, now: clock.now() })
  }
  if (stopped !== undefined) return fail({ trial: { kind: 'first' }, difference: stopped })
  const trials = verifyHistory(input, history, limitsOf(options.points, share))
  let next = trials.next()
  for (; next.done !== true; next = trials.next()) {
    total.progress(next.value, share)
    await breathe()
  }
  total.verified(next.value, share)
  if (next.value.finding !== undefined) fail(next.value.finding)
}

function limitsOf(points: number | undefined, share: number): { points: number; work: number } {
  if (points !== undefined) return { points: Math.max(1, Math.ceil(points * share)), work: Number.POSITIVE_INFINITY }
  return { points: Math.max(1, Math.ceil(POINTS * share)), work: WORK * share }
}

/** Lets others at the event loop when they have waited for long enough. @throws what ends `signal` */
function breather(clock: Clock, signal: AbortSignal): () => Promise<void> {
  let since = clock.monotonic()
  return async () => {
    if (clock.monotonic() - since < SLICE_MS) return
    await clock.sleep(0, signal)
    since = clock.monotonic()
  }
}

/** The report as it grows. */
class Total implements VerifyReport {
  readonly processor: string
  readonly units: number
  readonly messages: number
  items = 0
  outputs = 0
  deadLetters = 0
  readonly ticks = { recorded: 0, made: 0 }
  readonly steps = { recorded: 0, ran: 0, failed: 0, pending: 0 }
  points = 0
  every = 1
  toEnd = 0
  chained = 0
  failure: VerifyFailure | undefined
  readonly #onProgress: VerifyOptions['onProgress']
  #fraction = 0

  constructor({ processor, messages, onProgress }: VerifyOptions, units: number) {
    this.processor = processorId(processor)
    this.units = units
    this.messages = messages.length
    this.#onProgress = onProgress
  }

  recorded({ history, ticks, steps }: Recording): void {
    this.items += history.length
    this.outputs += history.outputs.length
    this.deadLetters += history.deadLetters
    for (const name of ['recorded', 'made'] as const) this.ticks[name] += ticks[name]
    for (const name of ['recorded', 'ran', 'failed', 'pending'] as const) this.steps[name] += steps[name]
  }

  progress({ points, fraction }: TrialProgress, share: number): void {
    this.#onProgress?.({ points: this.points + points, fraction: this.#fraction + fraction * share })
  }

  verified({ plan, points, toEnd, chained }: Verdict, share: number): void {
    this.points += points
    this.every = Math.max(this.every, plan.every)
    this.toEnd += toEnd
    this.chained += chained
    this.#fraction += share
  }
}
