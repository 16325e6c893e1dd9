import type { RowChange, RowStore, StoredRow, WrittenRow } from './row-store.js'

/** Rows in memory, where a view runs over a recording alone, and for tests. */
export class MemoryRows implements RowStore {
  readonly rows = new Map<string, StoredRow>()
  #revision = 0

  begin(): Promise<{ readonly empty: boolean }> {
    return Promise.resolve({ empty: this.rows.size === 0 })
  }

  load(key: string): Promise<StoredRow> {
    return Promise.resolve(this.rows.get(key) ?? { row: undefined, sequence: 0, revision: 0 })
  }

  write(changes: readonly RowChange[]): Promise<readonly WrittenRow[]> {
    return Promise.resolve(changes.map((change) => this.writeOne(change)))
  }

  stop(): void {}

  /** @returns what is stored then */
  writeOne({ key, row, sequence }: RowChange): WrittenRow {
    const stored = this.rows.get(key)
    if (stored !== undefined && stored.sequence >= sequence) return stored
    const written: StoredRow = { row, sequence, revision: (this.#revision += 1) }
    this.rows.set(key, written)
    return written
  }
}
