import { fault } from '../../error/millrace-error.js'
import { fromStoredTime, toStoredTime, type StoredTime } from '../../time/watermark.js'

/** Counts by name of what was passed over; replaced, never changed. */
export type Notices = Readonly<Record<string, number>>

/** What has to be known before a message, for a replay that begins with it. Times in ms. */
export interface Before {
  readonly sequence: number
  /** Events that were given before. */
  readonly turns: number
  /** Event time. */
  readonly watermark: number
  /** Largest time of an event, and of its storing. -Infinity where events do not have times of their own. */
  readonly newest: number
  readonly stored: number
  readonly notices: Notices
}

/** The same as plain data, with the position of the commit that it belongs to. */
export interface SlotsBasis {
  readonly position: number
  readonly watermark: StoredTime
  readonly newest: StoredTime
  readonly stored: StoredTime
  readonly notices: Notices
}

export function toBasis(
  { watermark, newest, stored, notices }: Omit<Before, 'sequence'>,
  position: number,
): SlotsBasis {
  const times = { watermark: toStoredTime(watermark), newest: toStoredTime(newest), stored: toStoredTime(stored) }
  return { position, ...times, notices }
}

/** @throws SNAPSHOT_INVALID */
export function fromBasis(pipeline: string, basis: unknown): Omit<Before, 'sequence' | 'turns'> & { position: number } {
  const { position, watermark, newest, stored, notices } = (basis ?? {}) as Partial<SlotsBasis>
  const times = [watermark, newest, stored]
  const readable = times.every((time) => time === null || typeof time === 'number')
  if (!readable || typeof position !== 'number' || typeof notices !== 'object')
    throw fault('SNAPSHOT_INVALID', `${pipeline}: ${JSON.stringify(basis)?.slice(0, 200)} is no basis of slots`)
  const [at, most, kept] = times.map((time) => fromStoredTime(time as StoredTime)) as [number, number, number]
  return { position, watermark: at, newest: most, stored: kept, notices: notices ?? {} }
}

/** A message that a replay has to begin with for the sake of what holds it. */
export class Mark {
  readonly before: Before
  holders = 0
  older: Mark | undefined
  newer: Mark | undefined

  constructor(before: Before) {
    this.before = before
  }
}

/**
 * The messages that something living began with, oldest first. Each is held by slots and waiting events; holding,
 * letting go and finding the oldest are O(1).
 */
export class ReplayMarks {
  #oldest: Mark | undefined
  #newest: Mark | undefined

  get oldest(): Mark | undefined {
    return this.#oldest
  }

  /** Holds a mark: one that is held already, or one later than all that are. */
  hold(mark: Mark): Mark {
    mark.holders += 1
    if (mark.holders > 1) return mark
    mark.older = this.#newest
    if (this.#newest === undefined) this.#oldest = mark
    else this.#newest.newer = mark
    this.#newest = mark
    return mark
  }

  release(mark: Mark): void {
    mark.holders -= 1
    if (mark.holders > 0) return
    if (mark.older === undefined) this.#oldest = mark.newer
    else mark.older.newer = mark.newer
    if (mark.newer === undefined) this.#newest = mark.older
    else mark.newer.older = mark.older
    mark.older = mark.newer = undefined
  }
}
