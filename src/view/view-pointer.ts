// Which bucket a view is in: one value for each view, in a bucket of their own.
//
//   millrace-views / <view>   ->   { current, next?, former }
import { z } from 'zod'
import type { Connection } from '../broker/connection.js'
import { ensureBucket, readBucket, writeBucket } from '../broker/history-bucket.js'
import { readLast } from '../broker/last-message.js'
import { fault, isFault } from '../error/millrace-error.js'
import type { Clock } from '../time/clock.js'

export const POINTERS = 'millrace-views'

const place = z.object({
  version: z.number().int().positive(),
  bucket: z.string(),
  /** `one`: one unit has all partitions. */
  spread: z.enum(['keys', 'one']),
  types: z.array(z.string()).readonly(),
  /** The rows are in this table of a database, and not in the bucket. */
  table: z.string().optional(),
})

const pointer = z.object({
  view: z.string(),
  /** What it reads, as far as a reader has to know. */
  stream: z.object({
    name: z.string(),
    root: z.string(),
    partitions: z.number().int().positive(),
    aggregates: z.boolean(),
  }),
  /** Where readers read. */
  current: place,
  /**
   * What is being made beside it. `target`: the end of the stream when it was looked at last; when the version has come
   * there, it is about to replace the current one. `swapping`: it is, as soon as it has come to `floor`, which is an end
   * of the stream that was read after this was stored.
   */
  next: place
    .extend({ target: z.number().int(), swapping: z.boolean(), floor: z.number().int().nullable() })
    .nullable(),
  /** Those that were replaced, until when their rows are kept, in ms since the Unix epoch. */
  former: z.array(place.extend({ until: z.number() })).readonly(),
})

export type ViewPlace = z.infer<typeof place>
export type ViewPointer = z.infer<typeof pointer>

/** A pointer, and what a change of it is conditional on. */
export interface FoundPointer {
  readonly pointer: ViewPointer
  readonly revision: number
}

/** Where the rows of a version are. */
export function versionBucket(bucket: string, version: number): string {
  return `${bucket}_v${version}`
}

/** Name of the processor of a version. */
export function versionName(view: string, version: number): string {
  return `${view}_v${version}`
}

export function ensurePointers(connection: Connection, replicas: number): Promise<void> {
  const description = 'Millrace: which bucket each view is in'
  return ensureBucket(connection, { bucket: POINTERS, description, replicas })
}

/** undefined: no view of this name has ever run. @throws VIEW_POINTER_INVALID, and errors of the broker */
export async function readPointer(connection: Connection, view: string): Promise<FoundPointer | undefined> {
  try {
    const last = await readLast(connection, `KV_${POINTERS}`, `$KV.${POINTERS}.${view}`)
    if (last === undefined || last.header('KV-Operation') !== undefined) return undefined
    return { pointer: decodePointer(last.data, view), revision: last.sequence }
  } catch (error) {
    if (isFault(error, 'STREAM_NOT_FOUND')) return undefined
    throw error
  }
}

/** Every view that has ever run. @throws VIEW_POINTER_INVALID, and errors of the broker */
export async function readPointers(connection: Connection, clock: Clock): Promise<readonly ViewPointer[]> {
  const last = new Map<string, Uint8Array | undefined>()
  for (const { key, data } of (await readBucket(connection, clock, POINTERS)).entries) last.set(key, data)
  return [...last].flatMap(([key, data]) => (data === undefined ? [] : [decodePointer(data, key)])).sort(byName)
}

/** @returns false when somebody else has changed it */
export async function storePointer(
  connection: Connection,
  changed: ViewPointer,
  revision: number,
): Promise<number | undefined> {
  const data = Buffer.from(JSON.stringify(changed))
  return writeBucket(connection, POINTERS, { key: changed.view, data, expected: revision })
}

function byName(one: ViewPointer, other: ViewPointer): number {
  return one.view < other.view ? -1 : 1
}

function decodePointer(data: Uint8Array, view: string): ViewPointer {
  let value: unknown
  try {
    value = JSON.parse(Buffer.from(data).toString('utf8'))
  } catch (cause) {
    throw fault('VIEW_POINTER_INVALID', `${view} is not JSON`, { cause })
  }
  const result = pointer.safeParse(value)
  if (result.success) return result.data
  const [issue] = result.error.issues
  throw fault('VIEW_POINTER_INVALID', `${view}: ${issue?.path.join('.') ?? ''} ${issue?.message ?? ''}`)
}
