import type { StoredEvent } from '../event/event.js'
import type { AggregateHead } from './aggregate-heads.js'
import { readRecordsBackwards } from './read-back.js'
import type { AggregatePlace } from './read-records.js'
import type { Decided, RejectionReason } from './record.js'

/** What one command led to, or one append. */
export interface HistoryEntry {
  /** Version of the aggregate before it and after it. */
  readonly before: number
  readonly version: number
  /** Of the record, in the aggregate's stream. */
  readonly sequence: number
  readonly storedAt: number
  readonly commandId: string
  /** Of the command, in the command stream; undefined: it came from elsewhere. */
  readonly commandSequence: number | undefined
  readonly correlationId: string | undefined
  readonly causationId: string | undefined
  readonly events: readonly StoredEvent[]
  readonly rejected: RejectionReason | undefined
}

/**
 * The last decisions about an aggregate, in their order.
 * @param last its last record
 * @param enough entries; there are more when the record of the first one has more
 */
export async function readHistory(
  place: AggregatePlace,
  last: AggregateHead,
  enough: number,
): Promise<readonly HistoryEntry[]> {
  const entries: HistoryEntry[] = []
  let decided: readonly Decided[] = []
  let record: Omit<Whole, 'events'> = { version: 0, sequence: 0, storedAt: 0 }
  let events: StoredEvent[] = []
  const close = (): void => {
    if (record.sequence > 0) entries.unshift(...entriesOf({ ...record, events }, decided))
    events = []
  }
  for await (const part of readRecordsBackwards(place, last)) {
    if (!part.goesOn) {
      close()
      if (entries.length >= enough) return entries
      ;({ decided } = part)
      record = part
    }
    events.unshift(...part.events)
  }
  close()
  return entries
}

interface Whole {
  readonly version: number
  readonly sequence: number
  readonly storedAt: number
  readonly events: readonly StoredEvent[]
}

function entriesOf({ version, sequence, storedAt, events }: Whole, decided: readonly Decided[]): HistoryEntry[] {
  let at = 0
  return decided.map(({ c: commandId, q, n, r, x: rejected }) => {
    const own = events.slice(at, at + n)
    const before = version - events.length + at
    at += n
    return {
      before,
      version: before + n,
      sequence,
      storedAt,
      commandId,
      commandSequence: q === 0 ? undefined : q,
      correlationId: own[0]?.correlationId ?? r,
      causationId: own[0]?.causationId,
      events: own,
      rejected,
    }
  })
}
