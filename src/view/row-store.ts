import { isFault } from '../error/millrace-error.js'
import { encodeToken, decodeToken } from '../event/subject.js'

/** A row where it is kept. */
export interface StoredRow {
  /** Undefined: there is none, or it was deleted. */
  readonly row: unknown
  /** Of the last event that is in it; 0: none. Also of a row that was deleted. */
  readonly sequence: number
  /** What a change of it is conditional on; 0: there has never been one. */
  readonly revision: number
}

/** A row as it is to be. */
export interface RowChange {
  readonly key: string
  /** Undefined deletes it. */
  readonly row: unknown
  /** Of the last event that is in it. */
  readonly sequence: number
  /** Of what is stored, as far as it is known. */
  readonly revision: number
}

/** What is stored after a change: the row itself, or one that was further already. */
export type WrittenRow = Pick<StoredRow, 'sequence' | 'revision'>

/**
 * Where the rows of a view are. A bucket is one; a table of a database can be another, which stores the rows and the
 * position in one transaction.
 */
export interface RowStore {
  /** Once, before anything else. @returns whether there is no row at all, nor was one deleted */
  begin(): Promise<{ readonly empty: boolean }>
  load(key: string): Promise<StoredRow>
  /**
   * Stores rows, so that none replaces one with a higher or the same sequence; repeated until its outcome is known.
   * @param position up to which everything of this unit is in the rows then: for a store that keeps it beside them
   * @returns in the order of the changes
   */
  write(changes: readonly RowChange[], position: number): Promise<readonly WrittenRow[]>
  /** Nothing is tried again from now on. */
  stop(): void
}

/** A server takes 4,096 bytes for the line that has the subject. */
const MOST_TOKEN = 1_024

/** Whether it can be the key of a row: a text that is not empty and not too long. */
export function isKey(key: unknown): key is string {
  if (typeof key !== 'string' || key === '') return false
  try {
    return encodeToken(key).length <= MOST_TOKEN
  } catch (error) {
    if (error instanceof URIError || isFault(error, 'SUBJECT_INVALID')) return false // an unpaired surrogate
    throw error
  }
}

/** A key as one token of a bucket’s keys. @throws SUBJECT_INVALID */
export function rowToken(key: string): string {
  return encodeToken(key)
}

/** Undefined for what is no key of a row. */
export function rowKey(token: string): string | undefined {
  return decodeToken(token)
}
