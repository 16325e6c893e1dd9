import { fault, isFault, messageOf } from '../../error/millrace-error.js'
import type { KeyedChange, KeyedEntry } from '../../kernel/processor.js'
import type { PipelineDeclaration } from '../define-pipeline.js'
import { EntryTable, insideKey } from '../../kernel/entry-table.js'
import { NamedTimer, TimerHeap } from '../keyed/timer-heap.js'
import { dropTimer, setTimer, timersOf, unlinkFired } from '../keyed/timer-list.js'
import { KeyEntry, savedOperators, Shapes, storedOperators, type StoredOperators } from './key-entry.js'
import { LiveKey, type KeyTarget } from './live-key.js'

export interface KeyTableOptions {
  /** A key without events for so long, in ms of event time, is ended; undefined: none is. */
  readonly idle: number | undefined
  /** Keys that stay awake. */
  readonly awake: number
  readonly shapes: readonly string[]
}

/** Something that is due for a key. */
export interface Due {
  readonly entry: KeyEntry
  /** In ms. */
  readonly due: number
  readonly kind: 'timer' | 'idle'
}

/** Names by which timers of one time and key are ordered: what is due in a key fires before it ends. */
const TIMER = '1'
const IDLE = '2'

/** The keys of a pipeline in mode `checkpoint`, awake or asleep, and when something is due for them. */
export class KeyTable {
  readonly #pipeline: PipelineDeclaration
  readonly #target: KeyTarget
  readonly #options: KeyTableOptions
  readonly #shapes: Shapes
  readonly #table = new EntryTable<KeyEntry>((entry) => this.#stored(entry))
  readonly #heap = new TimerHeap<KeyEntry>()
  readonly #awake = new Set<KeyEntry>()
  #loading: NamedTimer<KeyEntry>[] = []

  constructor(pipeline: PipelineDeclaration, target: KeyTarget, options: KeyTableOptions) {
    this.#pipeline = pipeline
    this.#target = target
    this.#options = options
    this.#shapes = new Shapes(options.shapes)
  }

  /** Event time at which something is due for a key; Infinity: never. */
  get due(): number {
    return this.#heap.due
  }

  get shapes(): readonly string[] {
    return this.#shapes.all
  }

  /** Takes what is due next, if it is until `time`. */
  takeDue(time: number): Due | undefined {
    const timer = this.#heap.take(time)
    if (timer === undefined) return undefined
    unlinkFired(timer)
    return { entry: timer.owner, due: timer.due, kind: timer.name === TIMER ? 'timer' : 'idle' }
  }

  /** The entry of a key, which counts as changed. */
  entryOf(key: string): KeyEntry {
    const known = this.#table.get(key)
    if (known !== undefined) {
      this.#table.touch(known)
      return known
    }
    const entry = new KeyEntry(key)
    this.#table.add(entry)
    return entry
  }

  /** The subscription of a key. @param time event time in ms */
  awaken(entry: KeyEntry, time: number): LiveKey {
    this.#table.touch(entry)
    const { state, key } = entry
    if (typeof state === 'object') return state
    let live: LiveKey
    if (state === undefined) live = new LiveKey(this.#pipeline, key, this.#target, time, undefined)
    else {
      const stored = JSON.parse(state) as StoredOperators
      live = this.#revive(key, stored, time)
      live.lastTime = stored.l
      live.cause = stored.c
    }
    this.#awake.add(entry)
    return (entry.state = live)
  }

  /** A key has done something: what is due for it may have changed. @param event whether it was an event */
  used(entry: KeyEntry, live: LiveKey, event: boolean): void {
    live.used = true
    const { nextDue } = live.scheduler
    if (nextDue === Infinity) dropTimer(entry, this.#heap, TIMER)
    else setTimer(entry, this.#heap, TIMER, nextDue)
    const { idle } = this.#options
    if (event && idle !== undefined) setTimer(entry, this.#heap, IDLE, live.lastTime + idle)
  }

  /** A key that would be idle still holds something: it is looked at again when its next timer has fired. */
  putOff(entry: KeyEntry, live: LiveKey): void {
    setTimer(entry, this.#heap, IDLE, live.scheduler.nextDue)
  }

  /** Ends the subscription of a key, and leaves nothing of it. */
  forget(entry: KeyEntry): void {
    this.#awake.delete(entry)
    if (typeof entry.state === 'object') entry.state.stop()
    entry.state = undefined
    dropTimer(entry, this.#heap, TIMER)
    dropTimer(entry, this.#heap, IDLE)
  }

  /** Puts keys to sleep that were not used for long, if too many are awake. @param except stays awake */
  rest(except: string | undefined): void {
    if (this.#awake.size <= this.#options.awake) return
    for (const entry of this.#awake) {
      this.#awake.delete(entry)
      const { state: live } = entry
      if (typeof live !== 'object') continue
      if (live.used || entry.key === except) {
        live.used = false
        this.#awake.add(entry) // at the end: it has a second chance
      } else {
        entry.state = JSON.stringify(this.#write(entry, live))
        live.stop()
      }
      if (this.#awake.size <= this.#options.awake) return
    }
  }

  takeChanges(): KeyedChange[] {
    return this.#table.takeChanges()
  }

  entries(): Iterable<KeyedEntry> {
    return this.#table.entries()
  }

  load(key: string, value: unknown): void {
    const entry = new KeyEntry(insideKey(key))
    const { l, d, i } = value as StoredOperators
    entry.state = JSON.stringify(value)
    if (d !== undefined) this.#loading.push((entry.timers = new NamedTimer(entry, TIMER, d, entry.timers)))
    const { idle } = this.#options
    if (idle !== undefined)
      this.#loading.push((entry.timers = new NamedTimer(entry, IDLE, i ?? l + idle, entry.timers)))
    this.#table.load(entry)
  }

  /** Every entry is there. Reads one of each shape, so that what cannot be read is an error now. */
  loaded(time: number): void {
    this.#heap.addAll(this.#loading)
    this.#loading = []
    const seen = new Set<number>()
    for (const { key, state } of this.#table.values()) {
      if (seen.size === this.#shapes.all.length) return
      const stored = JSON.parse(state as string) as StoredOperators
      if (seen.has(stored.p)) continue
      seen.add(stored.p)
      this.#revive(key, stored, time).stop()
    }
  }

  stop(): void {
    for (const { state } of this.#awake) if (typeof state === 'object') state.stop()
  }

  /** @throws KEYED_STATE_UNREADABLE */
  #revive(key: string, stored: StoredOperators, time: number): LiveKey {
    try {
      return new LiveKey(this.#pipeline, key, this.#target, time, savedOperators(stored, this.#shapes))
    } catch (error) {
      if (isFault(error) && error.disposition === 'crash') throw error
      const where = `${this.#pipeline.name}: key ${JSON.stringify(key)}`
      throw fault('KEYED_STATE_UNREADABLE', `${where}: ${messageOf(error)}`, { cause: error })
    }
  }

  /** @throws KEYED_STATE_NOT_STORABLE */
  #write(entry: KeyEntry, live: LiveKey): StoredOperators {
    const stored = storedOperators(this.#pipeline.name, live, this.#shapes)
    const { idle } = this.#options
    if (idle === undefined) return stored
    for (const { name, due } of timersOf(entry))
      if (name === IDLE && due !== live.lastTime + idle) return { ...stored, i: due }
    return stored
  }

  #stored(entry: KeyEntry): unknown {
    const { state } = entry
    if (typeof state === 'object') return this.#write(entry, state)
    return state === undefined ? undefined : (JSON.parse(state) as unknown)
  }
}
