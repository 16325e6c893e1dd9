import type { StoredEvent } from '../../event/event.js'
import type { Advance, Engine, EngineStats } from '../engine/advance.js'
import { createEngine } from '../engine/engine.js'
import type { Executable } from '../engine/executor.js'
import type { EngineSnapshot } from '../engine/engine-snapshot.js'
import type { Trace } from '../engine/partial.js'
import { ruleInput, type RuleInput } from './rule-input.js'
import type { Rule } from './rule.js'

/** State of a rule as plain data. */
export interface RuleState {
  readonly engine: EngineSnapshot
  /** [event time reached by events, when the event that reached it was stored], in ms; null before the first event. */
  readonly reached: readonly [number, number] | null
}

/** What went by, and where that has brought the time. */
export interface PassedOver {
  /** Event time, in ms. */
  readonly clock: number
  /** As {@link RuleAtWork.reached}. */
  readonly reached: readonly [number, number]
  readonly events: number
  readonly raised: number
  readonly withoutKey: number
  readonly ahead: number
}

/**
 * One rule with its state. What it finds is a function of the stored events of its types, in their order, and of
 * nothing else: not of other rules, not of when somebody looked.
 *
 * Time moves with the events of its types. When none comes, what waits for time (an absence, the end of a window) would
 * wait for ever: so time also passes with the stream's own. Once an event was stored at S at event time T, a stream that
 * is at S' is taken to be at event time T + (S' - S) - idle, and what is due by then ends, at its own time. That an
 * event stored at S' comes, or that a clock says so, comes to the same: whoever looks earlier or later finds the same.
 * What brings nothing when it ends is not due: state that time would only free is freed with the next event of its types.
 */
export class RuleAtWork {
  readonly rule: Rule
  readonly #engine: Engine
  #time = -Infinity
  #storedAt = -Infinity
  #ahead = 0
  #withoutKey = 0

  /** @param executable that says the same as the rule's own */
  constructor(rule: Rule, state?: RuleState, trace?: Trace, executable: Executable = rule.executable) {
    this.rule = rule
    this.#engine = createEngine(executable, state?.engine, trace)
    const reached = state?.reached ?? null
    if (reached !== null) [this.#time, this.#storedAt] = reached
  }

  /** Takes an event of its types. What ended before it was stored comes first. */
  take(event: StoredEvent): readonly Advance[] {
    const ended = this.passStored(event.storedAt)
    const read = ruleInput(this.rule, event)
    if (read.kind === 'ahead') {
      this.#ahead += 1
      return ended
    }
    const advance = this.takeRead(event, read)
    return ended.length === 0 ? [advance] : [...ended, advance]
  }

  /** Takes an event as `ruleInput` has read it, when nothing that is due before it is left. */
  takeRead(event: StoredEvent, { input, keyless }: Extract<RuleInput, { kind: 'input' }>): Advance {
    if (keyless) this.#withoutKey += 1
    if (event.time > this.#time) {
      this.#time = event.time
      this.#storedAt = event.storedAt
    }
    return this.#engine.advance(input)
  }

  /** Says that events of its types went by which could change nothing of it but the time: see `Engine.passOver`. */
  passOver({ clock, reached, events, raised, withoutKey, ahead }: PassedOver): void {
    ;[this.#time, this.#storedAt] = reached
    this.#withoutKey += withoutKey
    this.#ahead += ahead
    this.#engine.passOver(clock, events, raised)
  }

  /**
   * Ends what is due when the stream's own time, in ms, has come to `storedAt`.
   * @param ended where each end is put: those before one that fails are there
   */
  passStored(storedAt: number, ended?: Advance[]): readonly Advance[] {
    const time = this.#time + (storedAt - this.#storedAt) - this.rule.idle
    if (!(this.#engine.due <= time)) return ended ?? NOTHING
    ended ??= []
    while (this.#engine.due <= time) ended.push(this.#engine.advance({ kind: 'time', time: this.#engine.due }))
    return ended
  }

  /** Event time passes to `time`, in ms, as if an event without a key had come. */
  passTime(time: number): Advance {
    return this.#engine.advance({ kind: 'time', time })
  }

  /** When the stream's own time has come to this, in ms, something ends. Infinity: nothing waits for time. */
  get due(): number {
    const { due } = this.#engine
    return due === Infinity ? Infinity : due - this.#time + this.#storedAt + this.rule.idle
  }

  /** Events since it was made that were dated too far after they were stored, and were not taken. */
  get ahead(): number {
    return this.#ahead
  }

  /** Events since it was made that had no key for the rule: only time passed with them. */
  get withoutKey(): number {
    return this.#withoutKey
  }

  /** [event time reached by events, when the event that reached it was stored], in ms; -Infinity before the first. */
  get reached(): readonly [number, number] {
    return [this.#time, this.#storedAt]
  }

  get engine(): Pick<Engine, 'partials' | 'clock' | 'due' | 'wakes' | 'has' | 'liveKeys'> {
    return this.#engine
  }

  stats(): EngineStats {
    return this.#engine.stats()
  }

  state(): RuleState {
    const reached = this.#time === -Infinity ? null : ([this.#time, this.#storedAt] as const)
    return { engine: this.#engine.snapshot(), reached }
  }
}

const NOTHING: readonly Advance[] = []
