import { asFault } from '../broker/api-error.js'
import type { Connection } from '../broker/connection.js'

export interface Stretch {
  readonly stream: string
  /** Stored subjects; empty is all of them. */
  readonly filters: readonly string[]
  readonly first: number
  readonly last: number
}

/** Whether a stretch of a stream has a message that matches, by asking for the next one of each subject (ADR-31). */
export async function isAnyFrom(connection: Connection, stretch: Stretch): Promise<boolean> {
  const { stream, filters, first, last } = stretch
  for (const filter of filters.length === 0 ? ['>'] : filters) {
    // the client's type for this request leaves the two fields together out
    const request: { seq: number } = Object.assign({ seq: first }, { next_by_subj: filter })
    try {
      const next = await connection.manager.streams.getMessage(stream, request)
      if (next !== null && next.seq <= last) return true
    } catch (error) {
      throw asFault(error, `looking for messages of ${stream}`)
    }
  }
  return false
}
