import type { StoredMessage } from '../../broker/stored-message.js'
import type { Registry } from '../../event/registry.js'
import type { Decision, JournalEntry, StepOutcome } from '../../kernel/decision.js'
import type { RecordedParking } from '../../kernel/parking/key-parking.js'
import type { Processor } from '../../kernel/processor.js'
import type { StepRequest } from '../../kernel/step-request.js'
import { SimulatedUnit } from '../../kernel/simulation/simulated-unit.js'
import { Seeded } from '../../time/seeded.js'
import type { Difference, Different } from './difference.js'
import { asFault, give, History, type HistoryItem } from './history.js'

/** What one unit has to be verified with. */
export interface UnitInput {
  readonly processor: Processor
  readonly registry: Registry
  readonly partition: string
  /** Its messages, oldest first. */
  readonly messages: readonly StoredMessage[]
  /** Its decisions while it ran live, in order; empty when it never did. */
  readonly journal: readonly JournalEntry[]
}

export interface RecordOptions {
  /** Runs steps that the journal has no result of; without it they are not run. */
  readonly runSteps?: ((steps: readonly StepRequest[]) => Promise<readonly StepResult[]>) | undefined
  /** Called now and then: lets others at the event loop. May throw, which ends the run. */
  readonly breathe: () => Promise<void>
}

export interface StepResult {
  readonly id: string
  readonly outcome: StepOutcome
}

/** An uninterrupted run. */
export interface Recording {
  readonly history: History
  /** What the run ended with, when it did not come to the end. */
  readonly stopped: Difference | undefined
  readonly ticks: { readonly recorded: number; readonly made: number }
  readonly steps: StepCounts
}

/** What became of the steps that were asked for. */
export interface StepCounts {
  /** Their result was in the journal. */
  recorded: number
  /** They were run. */
  ran: number
  /** Events had to wait for them, so that they counted as failed. */
  failed: number
  /** Nothing waited for them. */
  pending: number
}

/** Where a timer is due before the next event, in one of so many places time passes without it. */
const TICK_CHANCE = 0.3
/** Ticks after the last event. */
const TICKS_AT_END = 50
const BREATHE_EVERY = 500
/** How often one event may wait for steps that follow from those before. */
const MOST_ROUNDS = 1_000
/** How a step ends that nobody runs. */
const NOT_RUN: StepOutcome = {
  ok: false,
  error: { name: 'StepNotRun', message: 'millrace verify runs no steps unless it is told to (--run-steps)' },
}

/**
 * Runs a unit over its messages without interruption, and writes down what it was given. Recorded decisions are taken
 * at their places. Where a timer is due between two events, time passes without one now and then, as it does live.
 */
export async function recordHistory(input: UnitInput, options: RecordOptions): Promise<Recording> {
  const recorder = new Recorder(input, options)
  try {
    await recorder.run()
  } catch (error) {
    recorder.unit.stop()
    throw error
  }
  return recorder
}

function parkingOf(journal: readonly JournalEntry[]): ReadonlyMap<number, RecordedParking> {
  const parking = new Map<number, RecordedParking>()
  for (const entry of journal) {
    if (entry.kind === 'park') parking.set(entry.sequence, entry)
    else if (entry.kind === 'skip' && entry.at !== undefined) parking.set(entry.sequence, { at: entry.at, back: false })
  }
  return parking
}

class Recorder implements Recording {
  readonly unit: SimulatedUnit
  readonly history: History
  stopped: Difference | undefined
  readonly ticks = { recorded: 0, made: 0 }
  readonly steps: StepCounts = { recorded: 0, ran: 0, failed: 0, pending: 0 }
  readonly #input: UnitInput
  readonly #options: RecordOptions
  readonly #chance: Seeded
  readonly #outcomes: ReadonlyMap<string, StepOutcome>
  readonly #skipped: ReadonlySet<number>
  /** By sequence: which events parked their key live, and where a key came back. */
  readonly #parking: ReadonlyMap<number, RecordedParking>

  constructor(input: UnitInput, options: RecordOptions) {
    const { processor, registry, partition, messages, journal } = input
    this.#input = input
    this.#options = options
    this.#chance = new Seeded(`verify ${processor.name} ${partition}`)
    this.#outcomes = new Map(journal.flatMap((entry) => (entry.kind === 'step' ? [[entry.id, entry.outcome]] : [])))
    this.#skipped = new Set(journal.flatMap((entry) => (entry.kind === 'skip' ? [entry.sequence] : [])))
    this.#parking = parkingOf(journal)
    this.history = new History(messages)
    this.unit = new SimulatedUnit({ processor, registry, partition, log: messages, packed: false })
  }

  async run(): Promise<void> {
    const { messages, journal } = this.#input
    let entry = journal.findIndex(({ after }) => after >= (messages[0]?.sequence ?? 0))
    if (entry < 0) entry = journal.length
    for (const [at, message] of messages.entries()) {
      await this.#message(message)
      const next = messages[at + 1]?.sequence ?? Number.POSITIVE_INFINITY
      for (; (journal[entry]?.after ?? Infinity) < next; entry++) this.#recorded(journal[entry] as JournalEntry)
      this.#tick(messages[at + 1]?.storedAt)
      if (at % BREATHE_EVERY === 0) await this.#options.breathe()
      if (this.stopped !== undefined) return
    }
    await this.#wait()
    this.steps.pending = this.unit.steps.length
    await this.#options.breathe()
    this.#endRun()
    this.unit.stop()
  }

  async #message(message: StoredMessage): Promise<void> {
    const parking = this.#parking.get(message.sequence)
    if (this.#skipped.has(message.sequence)) return void this.#give({ kind: 'skip', message, parking })
    const item = { kind: 'message', message, parking } as const
    for (let rounds = 0; this.#give(item) === 'waits'; rounds++) {
      const { steps } = this.unit
      if (rounds < MOST_ROUNDS && steps.length > 0) await this.#settle()
      else this.#stopAt(message.sequence, { kind: 'waits', steps: steps.map(({ name }) => name) })
    }
  }

  #recorded(entry: JournalEntry): void {
    if (entry.kind !== 'tick' && entry.kind !== 'step') return
    if (entry.kind === 'tick') this.ticks.recorded += 1
    else if (this.unit.steps.some(({ id }) => id === entry.id)) this.steps.recorded += 1
    const { after: _, ...decision } = entry
    this.#decide(decision)
  }

  /** Time that passes before the next event. */
  #tick(until: number | undefined): void {
    if (until === undefined || this.unit.steps.length > 0) return
    while (this.unit.due <= until && this.stopped === undefined && this.#chance.random() < TICK_CHANCE) this.#tickOnce()
  }

  /** What is still to come when no event does: steps that are run, and timers. */
  async #wait(): Promise<void> {
    for (let rounds = 0; rounds < MOST_ROUNDS && this.#options.runSteps !== undefined; rounds++) {
      if (this.unit.steps.length === 0 || this.stopped !== undefined) break
      await this.#settle()
    }
    for (let ticks = 0; ticks < TICKS_AT_END && this.stopped === undefined; ticks++) {
      if (this.unit.due === Number.POSITIVE_INFINITY || this.unit.steps.length > 0) return
      this.#tickOnce()
    }
  }

  #tickOnce(): void {
    this.ticks.made += 1
    this.#decide({ kind: 'tick', time: this.unit.due })
  }

  /** Ends every step that is waited for: as the journal says, or by running it, or as not run. */
  async #settle(): Promise<void> {
    const { steps } = this.unit
    const known = steps.filter(({ id }) => this.#outcomes.has(id))
    for (const { id } of known) {
      this.steps.recorded += 1
      this.#decide({ kind: 'step', id, outcome: this.#outcomes.get(id) ?? NOT_RUN })
    }
    const unknown = steps.filter(({ id }) => !this.#outcomes.has(id))
    if (unknown.length === 0) return
    const results = await this.#options.runSteps?.(unknown)
    for (const { id, outcome } of results ?? unknown.map((step) => ({ id: step.id, outcome: NOT_RUN })))
      this.#decide({ kind: 'step', id, outcome })
    this.steps[results === undefined ? 'failed' : 'ran'] += unknown.length
  }

  #decide(decision: Decision): void {
    this.#give({ kind: 'decision', decision })
  }

  #give(item: HistoryItem): 'given' | 'waits' | 'stopped' {
    if (this.stopped !== undefined) return 'stopped'
    const taken = give(this.unit, item)
    if (taken.kind === 'waits') {
      const { moved } = taken
      if (moved?.decision !== undefined) this.history.add({ kind: 'decision', decision: moved.decision }, moved)
      return 'waits'
    }
    if (taken.kind === 'stopped') {
      const sequence = item.kind === 'decision' ? this.unit.sequence : item.message.sequence
      this.#stopAt(sequence, { kind: 'stopped', error: taken.error })
      return 'stopped'
    }
    this.history.add(item, taken.turn)
    return 'given'
  }

  /** What a promise or a timer of the machine has done after the last turn stops it, and so does what cannot be stored. */
  #endRun(): void {
    try {
      this.unit.commitAll()
      if (this.unit.broken !== undefined) throw this.unit.broken
    } catch (error) {
      this.#stopAt(this.unit.sequence, { kind: 'stopped', error: asFault(error) })
    }
  }

  #stopAt(sequence: number, what: Different): void {
    this.stopped ??= { item: this.history.length, sequence, what }
  }
}
