// ViewLogic
//
// One unit of a view at work: folds the events of its keys into rows, and has the rows stored before its position is.
//
//   kernel -> ViewLogic:     admits(event), expect(event), turn(event), beforeCommit(position)
//   ViewLogic -> RowStore:   begin, load, write
//   ViewLogic -> kernel:     wake() when a row is there
//
// Invariants (tests cite them):
//   VW1  When a position is stored, the rows hold everything up to it, and nothing that is a dead letter is missing.
//   VW2  Each event is in its row once: a row says of which event it is the last state, and takes none up to that again.
//   VW3  No row is replaced by an earlier state of it, whoever wakes up and writes.
import { fault, isFault, messageOf, type MillraceError } from '../error/millrace-error.js'
import { asFault } from '../broker/api-error.js'
import { deepFreeze } from '../actor/frozen.js'
import type { EventDraft, StoredEvent } from '../event/event.js'
import type { Logic } from '../kernel/processor.js'
import { findNotPlain, isPlain } from '../pipeline/keyed/plain-data.js'
import { isKey, type RowStore } from './row-store.js'
import { RowTable, type LiveRow } from './row-table.js'
import type { ViewDeclaration } from './view-options.js'

const NOTHING: readonly EventDraft[] = []
const ABSENT: unknown = undefined
/** Rows that are read at a time. */
const MOST_LOADS = 256
const JSON_ROW = { absent: true }

export interface ViewLogicOptions {
  readonly view: ViewDeclaration
  readonly store: RowStore
  readonly wake: () => void
  readonly onBroken: (error: MillraceError) => void
}

export class ViewLogic implements Logic {
  readonly #options: ViewLogicOptions
  readonly #table: RowTable
  readonly #loading = new Set<string>()
  readonly #soon = new Set<string>()
  readonly #admitted = new Set<LiveRow>()
  #ready = false
  /** There was no row in the beginning: one that is not in memory does not exist. */
  #knowsAll = false
  #stopped = false
  #repeated = 0

  constructor(options: ViewLogicOptions) {
    this.#options = options
    this.#table = new RowTable(options.view.memory.rows)
    void this.#begin()
  }

  admits(event: StoredEvent): boolean {
    if (!this.#ready) return false
    const key = this.#tryKeyOf(event)
    if (key === undefined) return true
    const row = this.#table.get(key) ?? this.#unknown(key)
    if (row !== undefined) return this.#admit(row)
    this.#load(key)
    return false
  }

  expect(event: StoredEvent): void {
    if (!this.#ready || this.#knowsAll) return
    const key = this.#tryKeyOf(event)
    if (key === undefined || this.#table.get(key) !== undefined) return
    if (this.#loading.size < MOST_LOADS) this.#load(key)
    else this.#soon.add(key)
  }

  turn(event: StoredEvent): readonly EventDraft[] {
    const key = this.#keyOf(event)
    if (key === undefined) return NOTHING
    const row = this.#table.get(key)
    if (row === undefined) throw fault('INTERNAL', `${this.#options.view.name} has no row ${key} in memory`)
    if (event.sequence <= row.through)
      this.#repeated += 1 // VW2
    else this.#table.put(row, event.sequence, this.#fold(key, row.value, event))
    return NOTHING
  }

  afterCommit(): undefined {
    for (const row of this.#admitted) row.pins -= 1
    this.#admitted.clear()
    return undefined
  }

  /** VW1 */
  async beforeCommit(position: number): Promise<void> {
    const changes = this.#table.changesThrough(position)
    if (changes.length === 0) return
    const written = await this.#options.store.write(
      changes.map(({ change }) => change),
      position,
    )
    for (const [at, { row, change }] of changes.entries())
      this.#table.wrote(row, change.sequence, written[at] ?? row.stored)
  }

  snapshot(): undefined {
    return undefined
  }

  get notices(): Readonly<Record<string, number>> {
    return this.#repeated === 0 ? {} : { 'events that were in their row': this.#repeated }
  }

  report(): unknown {
    return { kind: 'view', rowsInMemory: this.#table.size, loading: this.#loading.size }
  }

  stop(): void {
    this.#stopped = true
    this.#options.store.stop()
    this.#soon.clear()
  }

  async #begin(): Promise<void> {
    const { store, wake } = this.#options
    try {
      this.#knowsAll = (await store.begin()).empty
      if (this.#stopped) return
      this.#ready = true
      wake()
    } catch (error) {
      this.#break(error)
    }
  }

  #unknown(key: string): LiveRow | undefined {
    if (!this.#knowsAll || this.#table.evicted) return undefined
    return this.#table.add(key, { row: undefined, sequence: 0, revision: 0 })
  }

  #load(key: string): void {
    if (this.#loading.has(key)) return
    this.#soon.delete(key)
    this.#loading.add(key)
    void this.#finish(key)
  }

  async #finish(key: string): Promise<void> {
    try {
      const stored = await this.#options.store.load(key)
      if (this.#stopped) return
      this.#loading.delete(key)
      if (this.#table.get(key) === undefined) this.#table.add(key, { ...stored, row: deepFreeze(stored.row) })
      for (const next of this.#soon) {
        if (this.#loading.size >= MOST_LOADS) break
        this.#load(next)
      }
      this.#options.wake()
    } catch (error) {
      this.#break(error)
    }
  }

  #break(error: unknown): void {
    if (!this.#stopped) this.#options.onBroken(asFault(error, `view ${this.#options.view.name}`))
  }

  #admit(row: LiveRow): true {
    if (!this.#admitted.has(row)) {
      this.#admitted.add(row)
      row.pins += 1
    }
    return true
  }

  /** What is wrong with a key is told in the turn. */
  #tryKeyOf(event: StoredEvent): string | undefined {
    try {
      return this.#keyOf(event)
    } catch {
      return undefined
    }
  }

  /** @throws VIEW_FOLD_FAILED, and of Millrace’s own what the function throws */
  #keyOf(event: StoredEvent): string | undefined {
    const { view } = this.#options
    if (view.key === undefined) return event.key
    const key: unknown = this.#guarded(event, 'key', () => view.key?.(event))
    if (key === undefined || isKey(key)) return key
    throw fault('VIEW_FOLD_FAILED', `${view.name} on ${event.type}: key gives ${JSON.stringify(key)}, which is no key`)
  }

  #fold(key: string, row: unknown, event: StoredEvent): unknown {
    const { view } = this.#options
    const before = row === undefined && view.initial !== undefined ? deepFreeze(view.initial(key)) : row
    const after: unknown = this.#guarded(event, 'fold', () => view.fold(before, event))
    if (after === null) return ABSENT
    if (after !== undefined && isPlain(after, JSON_ROW)) return deepFreeze(after)
    const { path, why } = findNotPlain(after, JSON_ROW) ?? { path: '', why: 'undefined' }
    throw fault(
      'VIEW_FOLD_FAILED',
      `${view.name} on ${event.type}: fold gives ${why}${path === '' ? '' : ` at ${path}`}`,
    )
  }

  #guarded<Result>({ type }: StoredEvent, what: string, run: () => Result): Result {
    try {
      return run()
    } catch (error) {
      if (isFault(error)) throw error
      throw fault('VIEW_FOLD_FAILED', `${this.#options.view.name} on ${type}: ${what} threw: ${messageOf(error)}`, {
        cause: error,
      })
    }
  }
}
