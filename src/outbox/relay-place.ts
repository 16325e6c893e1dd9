// How far a relay is, and how far it may go. Pure.
//
// Rows are relayed in the order in which they were made, by the place of the write-ahead log at that moment (`lsn`, then
// `position`). When a row is made after another one's transaction has committed, it has the higher lsn: the commit is in
// the log between them. What sequences cache, and which transaction began first, plays no part.
//
// How far it may go: a row that is not to be seen yet is of a transaction that goes on, or is still to come. A sample is
// an lsn, and a number that was given out behind it: transactions from that `end` on had no number then, so that
// all their rows have a higher lsn. (The end of a snapshot is no such number: it is behind the last one that has ended.) When a later snapshot says that every transaction below that number has ended, nothing
// below the sample's lsn can be added any more.
//
// Invariants (tests cite them):
//   OX1  No row is added below the place up to which rows are relayed, so none is passed over.
//   OX2  Of two rows the one that was committed before the other was made comes first.
import { fault } from '../error/millrace-error.js'

/** The last row that is relayed. */
export interface RelayPlace {
  readonly lsn: string
  readonly position: string
}

export const START: RelayPlace = Object.freeze({ lsn: '0/0', position: '0' })

/** Below 0: `one` is less far. */
export function comparePlaces(one: RelayPlace, other: RelayPlace): number {
  const [a, b] = [lsnOf(one.lsn), lsnOf(other.lsn)]
  if (a !== b) return a < b ? -1 : 1
  const [c, d] = [BigInt(one.position), BigInt(other.position)]
  return c === d ? 0 : c < d ? -1 : 1
}

/** `16/B374D848` as a number. */
export function lsnOf(text: string): bigint {
  const [high = '0', low = '0'] = text.split('/')
  return (BigInt(`0x${high}`) << 32n) + BigInt(`0x${low}`)
}

/** Where the log was, and a number and a snapshot that were taken behind it. Numbers of transactions as text: they have 64 bits. */
export interface Sample {
  readonly lsn: string
  /** The lowest transaction that goes on; `end` when none does. */
  readonly lowest: string
  /** A number that was given out then: all that were given out before are lower. */
  readonly end: string
}

/** More would be kept only where a transaction goes on for long; then they are thinned out. */
const MOST_SAMPLES = 1_000

/** Up to which lsn nothing can be added any more. */
export class Horizon {
  #samples: { readonly lsn: string; readonly end: bigint }[] = []
  #reached: string | undefined

  /** @returns rows below it are relayed; undefined: nothing can be said yet */
  next({ lsn, lowest, end }: Sample): string | undefined {
    const [all, last] = [this.#samples, this.#samples.at(-1)]
    // where no transaction has begun since, the later one says more
    if (last?.end === BigInt(end)) all.pop()
    all.push({ lsn, end: BigInt(end) })
    let passed = 0
    while (passed < all.length && (all[passed]?.end ?? 0n) <= BigInt(lowest)) passed += 1
    const reached = all[passed - 1]
    if (reached !== undefined) this.#reached = reached.lsn
    this.#samples = all.slice(passed)
    if (this.#samples.length > MOST_SAMPLES) this.#samples = this.#samples.filter((_, at) => at % 2 === 0)
    return this.#reached
  }
}

/** What is stored in the stream beside what was relayed. */
export interface RelayRecord<Place = RelayPlace> {
  readonly place: Place
  /** Who wrote it, and which of its records this is: so it knows its own again. */
  readonly owner: string
  readonly count: number
  /** Rows that were relayed ever, became dead letters, or were in the stream already. */
  readonly relayed: number
  readonly letters: number
  readonly duplicates: number
}

export function encodeRecord(record: RelayRecord<unknown>): Uint8Array {
  return Buffer.from(JSON.stringify({ v: 1, ...record }))
}

/** @throws OUTBOX_RECORD_INVALID */
export function decodeRecord(data: Uint8Array, where: string): RelayRecord {
  try {
    const { v, ...record } = JSON.parse(Buffer.from(data).toString()) as RelayRecord & { readonly v: number }
    if (v === 1 && isPlace(record.place) && Number.isSafeInteger(record.relayed)) return record
  } catch (cause) {
    throw fault('OUTBOX_RECORD_INVALID', where, { cause })
  }
  throw fault('OUTBOX_RECORD_INVALID', where)
}

/** Whether it is one that was written here. */
export function isPlace(value: unknown): value is RelayPlace {
  if (typeof value !== 'object' || value === null) return false
  const { lsn, position } = value as Partial<RelayPlace>
  const isNumber = typeof position === 'string' && /^\d{1,20}$/.test(position)
  return isNumber && typeof lsn === 'string' && /^[0-9A-F]{1,8}\/[0-9A-F]{1,8}$/i.test(lsn)
}
