// OrderedLogic
//
// One unit of a handler with `order: 'key'`: the events of one partition, in lines by key. The first of each line is at
// work outside of the turns; the others wait for its fate, which comes as the result of a step.
//
//   kernel -> OrderedLogic:      turn(event), settle(step, outcome), stored commits
//   OrderedLogic -> kernel:      attempts as steps, what settled events have emitted, keys to be parked
//   OrderedAttempts -> outcome:  what became of an attempt
//
// Invariants (tests cite them):
//   DL9   An attempt at an event begins when it is stored that every earlier event of its key has its fate, and that this
//         process still owned the unit then: so the effects of a key are in the order of the log, whatever is killed.
//   DL10  While an event is tried, waits for another attempt or is parked, other keys go on.
//   DL11  Each event ends once as handled, dead letter or parked; what it has emitted is stored with that, once.
import type { StoredMessage } from '../../broker/stored-message.js'
import { fault, isFault } from '../../error/millrace-error.js'
import { CATALOGUE, type ErrorCode } from '../../error/catalogue.js'
import type { EventDraft, StoredEvent } from '../../event/event.js'
import type { StepOutcome } from '../../kernel/decision.js'
import { LETTER_HEADER, readLineage } from '../../kernel/letter-message.js'
import type { KeyedChange, KeyedEntry, Logic, Memory, OnFailure } from '../../kernel/processor.js'
import type { StepRequest } from '../../kernel/step-request.js'
import { afterFailure } from '../attempt-headers.js'
import { ActiveEvents } from './active-events.js'
import { emittedDraft, type AttemptOutcome } from './attempt-outcome.js'
import { KeyLines } from './key-lines.js'
import { isSame, type OpenEvent } from './open-event.js'
import type { OrderedLogicOptions } from './ordered-options.js'
import { reportOf } from './ordered-report.js'

const NOTHING: readonly EventDraft[] = []
const NO_STEPS: readonly StepRequest[] = []
/** An attempt has a time limit of its own; this is the longest that a timer takes, in ms. */
const NO_LIMIT_MS = 2 ** 31 - 1
const STEP = { id: 'begin', name: 'begin', timeoutMs: NO_LIMIT_MS, attempts: 1, lasting: true }
/** First events of keys that wait for a place among those that are at work: so many for each place. */
const READY_FOR_EACH = 4
const READY = 64

export class OrderedLogic implements Logic {
  readonly #options: OrderedLogicOptions
  readonly #lines: KeyLines
  /** Undefined: not known yet. */
  #since: number | undefined
  /** Come next of their key as soon as what was decided so far is stored. */
  #next: OpenEvent[] = []
  #asked: StepRequest[]
  readonly #active = new ActiveEvents()

  /** @throws HANDLER_STATE_INVALID */
  constructor(options: OrderedLogicOptions, memory: Memory) {
    const keyed = memory.kind === 'keyed' ? memory : undefined
    this.#options = options
    this.#lines = new KeyLines(keyed?.entries)
    this.#since = (keyed?.basis as { since?: number } | null | undefined)?.since
    this.#asked = [...this.#lines.heads()].filter(({ halt }) => halt?.kind !== 'parked').map((open) => this.#ask(open))
    this.#findSince()
  }

  wants(_type: string, storedAt: number): boolean {
    return storedAt >= (this.#since ?? 0)
  }

  admits(event: StoredEvent): boolean {
    if (this.#since === undefined) return false
    const head = this.#lines.head(event)
    if (head?.halt?.kind === 'parked') return true
    if (head !== undefined) return !this.#lines.isFull(event) || !this.#isOwn(event)
    const { worker } = this.#options.declaration.concurrency
    const room = this.#active.size < READY_FOR_EACH * worker + READY && !this.#lines.isFull(event)
    return room || !this.#isOwn(event)
  }

  turn(event: StoredEvent, onFailure: OnFailure, message?: Pick<StoredMessage, 'headers'>): readonly EventDraft[] {
    if (event.storedAt < (this.#since ?? 0)) return NOTHING // it came before that was known
    const head = this.#lines.head(event)
    const generation = readLineage(message?.headers.get(LETTER_HEADER))?.generation ?? 0
    const again = head?.halt !== undefined && isSame(head.event, event)
    if (again && head.halt?.kind === 'parking') {
      const { code, detail } = head.halt
      this.#halt(head, { kind: 'parked', code, detail })
      onFailure(fault(Object.hasOwn(CATALOGUE, code) ? (code as ErrorCode) : 'HANDLER_FAILED', detail), true)
      return NOTHING
    }
    if (again) {
      // it was a dead letter when it was parked; those that only waited behind it were none
      this.#lines.renew(head, event, Math.max(generation, head.record.generation + 1))
      this.#comesNext(head)
      return NOTHING
    }
    // the first one was left out when its key came back; one that is kept behind those that come is still the first
    if (head?.halt?.kind === 'parked' && head.halt.behind !== true) this.#passOn(head)
    if (!this.#wanted(event, onFailure)) return NOTHING
    const first = this.#lines.push(event, generation)
    if (first !== undefined) this.#comesNext(first)
    return NOTHING
  }

  settle(id: string, outcome: StepOutcome): readonly EventDraft[] {
    if (id === STEP.id) {
      if (outcome.ok) this.#since ??= Number(outcome.value)
      this.#findSince()
      return NOTHING
    }
    const open = this.#lines.get(id.slice(0, id.indexOf('-')))
    if (open?.step !== id) return NOTHING
    this.#active.ends(open)
    if (!outcome.ok) {
      // nothing of ours gives this; the attempt is made anew
      this.#comesNext(open)
      return NOTHING
    }
    const result = outcome.value as AttemptOutcome
    switch (result.k) {
      case 'done':
        this.#passOn(open)
        return result.out === undefined ? NOTHING : [emittedDraft(result.out)]
      case 'dead':
        this.#passOn(open)
        return NOTHING
      case 'later':
        open.record = afterFailure(open.record, { at: result.at, code: result.code })
        open.due = result.due
        this.#lines.touch(open)
        this.#comesNext(open)
        return NOTHING
      case 'park':
        this.#halt(open, { kind: 'parking', code: result.code, detail: result.detail })
        this.#comesNext(open)
        return NOTHING
      case 'parking':
        return NOTHING
      case 'crash':
        throw fault('POISON_STOPPED', `${this.#at(open)}: ${result.code}: ${result.detail}`)
    }
  }

  takeSteps(): readonly StepRequest[] {
    if (this.#asked.length === 0) return NO_STEPS
    const asked = this.#asked
    this.#asked = []
    return asked
  }

  /** Of a key that is parked still: what failed once more is kept behind what came meanwhile, and stays the first here. */
  diverted(event: StoredEvent): boolean {
    const head = this.#lines.head(event)
    if (head?.halt?.kind !== 'parking' || !isSame(head.event, event)) return false
    this.#halt(head, { kind: 'parked', code: head.halt.code, detail: head.halt.detail, behind: true })
    return true
  }

  leftOut(key: string): void {
    const head = this.#lines.headOf(key)
    if (head?.halt?.kind === 'parked') this.#passOn(head)
  }

  afterCommit(): (() => void) | undefined {
    if (this.#next.length === 0) return undefined
    const next = this.#next
    this.#next = []
    return () => {
      for (const open of next) if (!open.done && open.halt?.kind !== 'parked') this.#asked.push(this.#ask(open))
      // in the middle of a commit nothing is begun
      queueMicrotask(this.#options.wake)
    }
  }

  takeChanges(): readonly KeyedChange[] {
    return this.#lines.takeChanges()
  }

  entries(): Iterable<KeyedEntry> {
    return this.#lines.entries()
  }

  get basis(): unknown {
    const pending = this.#lines.pending
    return {
      ...(this.#since === undefined ? {} : { since: this.#since }),
      ...(pending.length === 0 ? {} : { pending }),
    }
  }

  report(): unknown {
    return { kind: 'handler', ...reportOf(this.#lines) }
  }

  async finish(): Promise<void> {
    await this.#options.finish?.()
  }

  stop(): void {
    this.#options.stop()
  }

  #findSince(): void {
    const { since } = this.#options
    if (typeof since === 'number') this.#since ??= since
    else if (this.#since === undefined) this.#asked.push({ ...STEP, run: since })
  }

  #isOwn(event: StoredEvent): boolean {
    try {
      return this.#options.declaration.wants(event)
    } catch {
      return true // its turn says so
    }
  }

  #wanted(event: StoredEvent, onFailure: OnFailure): boolean {
    try {
      return this.#options.declaration.wants(event)
    } catch (error) {
      if (!isFault(error, 'EXPRESSION_FAILED')) throw error
      onFailure(error)
      return false
    }
  }

  #halt(open: OpenEvent, halt: NonNullable<OpenEvent['halt']>): void {
    open.halt = halt
    this.#lines.touch(open)
  }

  /** It has its fate: the next one of its key comes. */
  #passOn(open: OpenEvent): void {
    const next = this.#lines.shift(open)
    if (next !== undefined) this.#comesNext(next)
  }

  #comesNext(open: OpenEvent): void {
    if (open.due === 0) this.#active.begins(open)
    this.#next.push(open)
  }

  #ask(open: OpenEvent): StepRequest {
    const { run, declaration } = this.#options
    if (open.due === 0) this.#active.begins(open)
    const own = (_: string, signal: AbortSignal): Promise<AttemptOutcome> =>
      run(open, () => this.#active.begins(open), signal)
    return { ...STEP, id: open.step, name: declaration.name, run: own }
  }

  #at({ event }: OpenEvent): string {
    return `${this.#options.declaration.name} at ${event.stream} ${event.sequence}`
  }
}
