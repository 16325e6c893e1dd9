import { fault } from '../../error/millrace-error.js'
import { applyChanges, type ParkedChange, type ParkedKey } from './parked-key.js'

/** Parked keys of one unit: with more, it is not single keys that are broken. */
const MOST_KEYS = 1_000
/** Their texts, in characters: each commit stores them. */
const MOST_TEXT = 100_000

const NONE: readonly ParkedKey[] = []
const UNCHANGED: readonly ParkedChange[] = []

interface Undo {
  readonly sequence: number
  readonly key: string
  readonly before: ParkedKey | undefined
}

/**
 * The parked keys of one unit as of the last message that was handled. Pure: what becomes of them follows from the
 * messages, and from which of their events failed.
 */
export class Parking {
  #table = new Map<string, ParkedKey>()
  readonly #keepsUndo: boolean
  #undo: Undo[] = []
  #changes: ParkedChange[] = []

  /** @param keepsUndo whether it has to tell what it was before an earlier message (memory `replay`) */
  constructor(start: readonly ParkedKey[], keepsUndo: boolean) {
    this.#keepsUndo = keepsUndo
    this.#fill(start)
  }

  get size(): number {
    return this.#table.size
  }

  get(key: string | undefined): ParkedKey | undefined {
    return key === undefined ? undefined : this.#table.get(key)
  }

  /** Takes what was committed in place of what a replay came to. */
  resume(parked: readonly ParkedKey[]): void {
    this.#fill(parked)
    this.#changes = []
  }

  /** @throws TOO_MANY_PARKED_KEYS */
  requireRoom(key: string, who: string): void {
    let text = key.length
    for (const other of this.#table.keys()) text += other.length
    if (this.#table.size < MOST_KEYS && text <= MOST_TEXT) return
    const detail = `${who}: ${this.#table.size} keys are parked, and ${JSON.stringify(key.slice(0, 100))} would be one more`
    throw fault('TOO_MANY_PARKED_KEYS', detail)
  }

  /** Notes what the message of `sequence` made of a key; undefined: it is no longer parked. */
  put(sequence: number, key: string, entry: ParkedKey | undefined): void {
    // a replay need not know how many were diverted before it
    if (this.#keepsUndo) this.#undo.push({ sequence, key, before: this.#table.get(key) })
    this.#set(key, entry)
  }

  /** Gives a diverted event the next number of its key. */
  divert(entry: ParkedKey): number {
    this.#set(entry.key, { ...entry, diverted: entry.diverted + 1 })
    return entry.diverted
  }

  /** What changed since the last call. */
  takeChanges(): readonly ParkedChange[] {
    if (this.#changes.length === 0) return UNCHANGED
    const changes = this.#changes
    this.#changes = []
    return changes
  }

  /**
   * What was parked before the message of `sequence` was handled; undefined: now. How many were diverted until then is
   * not told. Sequences only rise from call to call.
   */
  before(sequence: number | undefined): readonly ParkedKey[] {
    const needed = this.#undo.findIndex((change) => change.sequence >= (sequence ?? Number.POSITIVE_INFINITY))
    this.#undo = needed < 0 ? [] : this.#undo.slice(needed)
    if (this.#table.size === 0 && this.#undo.length === 0) return NONE
    const changes = this.#undo.map(({ key, before }) => ({ key, entry: before })).reverse()
    return applyChanges([...this.#table.values()], changes)
  }

  #set(key: string, entry: ParkedKey | undefined): void {
    if (entry === undefined) this.#table.delete(key)
    else this.#table.set(key, entry)
    this.#changes.push({ key, entry })
  }

  #fill(parked: readonly ParkedKey[]): void {
    this.#table = new Map(parked.map((entry) => [entry.key, entry]))
  }
}
