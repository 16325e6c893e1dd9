import type { RowChange, StoredRow, WrittenRow } from './row-store.js'

interface PendingRow {
  readonly sequence: number
  readonly row: unknown
}

/** One row in memory: as of the last event, and what of that is not stored yet. */
export class LiveRow {
  readonly key: string
  value: unknown
  /** Events up to here were in the row when it was read (VW2). */
  readonly through: number
  stored: WrittenRow
  /** Turns that need it, and have not been taken. */
  pins = 0
  readonly pending: PendingRow[] = []

  constructor(key: string, { row, sequence, revision }: StoredRow) {
    this.key = key
    this.value = row
    this.through = sequence
    this.stored = { sequence, revision }
  }

  /** Puts the row after an event in place. */
  put(sequence: number, row: unknown): void {
    this.value = row
    if (this.pending.at(-1)?.sequence === sequence) this.pending.pop() // of one message, only the last counts
    this.pending.push({ sequence, row })
  }
}

/** Rows in memory, those used last at the end; what is neither waited for nor to be stored gives way. */
export class RowTable {
  readonly #most: number
  readonly #rows = new Map<string, LiveRow>()
  readonly #changed = new Set<LiveRow>()
  #evicted = false

  constructor(most: number) {
    this.#most = most
  }

  get size(): number {
    return this.#rows.size
  }

  /** Whether a row had to give way since the beginning. */
  get evicted(): boolean {
    return this.#evicted
  }

  get(key: string): LiveRow | undefined {
    return this.#rows.get(key)
  }

  add(key: string, stored: StoredRow): LiveRow {
    const row = new LiveRow(key, stored)
    this.#rows.set(key, row)
    if (this.#rows.size > this.#most) this.#makeRoom(row)
    return row
  }

  /** As `put` of the row. */
  put(row: LiveRow, sequence: number, value: unknown): void {
    row.put(sequence, value)
    this.#changed.add(row)
    this.#rows.delete(row.key)
    this.#rows.set(row.key, row)
  }

  /** What has to be stored so that everything up to a position is: of each row the last that is not behind it. */
  changesThrough(position: number): { readonly row: LiveRow; readonly change: RowChange }[] {
    const changes: { row: LiveRow; change: RowChange }[] = []
    for (const row of this.#changed) {
      const last = row.pending.findLast(({ sequence }) => sequence <= position)
      if (last === undefined) continue
      if (last.sequence <= row.stored.sequence) this.wrote(row, last.sequence, row.stored)
      else changes.push({ row, change: { key: row.key, ...last, revision: row.stored.revision } })
    }
    return changes
  }

  wrote(row: LiveRow, through: number, stored: WrittenRow): void {
    row.stored = stored
    const left = row.pending.findIndex(({ sequence }) => sequence > through)
    row.pending.splice(0, left < 0 ? row.pending.length : left)
    if (row.pending.length === 0) this.#changed.delete(row)
  }

  clear(): void {
    this.#rows.clear()
    this.#changed.clear()
  }

  /** Looks at a few of the oldest only: in the worst case the table is larger for a while. */
  #makeRoom(latest: LiveRow): void {
    let left = 16
    for (const row of this.#rows.values()) {
      if (this.#rows.size <= this.#most || left-- === 0) return
      if (row.pins > 0 || row.pending.length > 0 || row === latest) {
        this.#rows.delete(row.key)
        this.#rows.set(row.key, row)
        continue
      }
      this.#rows.delete(row.key)
      this.#evicted = true
    }
  }
}
