// Streams with packs in them.
import { publishOnce } from '../../src/broker/publish-once.ts'
import type { Connection } from '../../src/broker/connection.ts'
import type { StreamDeclaration } from '../../src/broker/define-stream.ts'
import { completeDraft } from '../../src/event/complete.ts'
import type { Event, EventDraft } from '../../src/event/event.ts'
import { packEvents } from '../../src/event/packed.ts'
import { publishSubject } from '../../src/event/subject.ts'

/** Events with the ids `e1`, `e2`, … a second apart. */
export function eventsOf(drafts: readonly EventDraft[], from = 1): Event[] {
  return drafts.map((draft, at) =>
    completeDraft(draft, { id: `e${from + at}`, source: '/test', time: Date.UTC(2026, 0, 1) + (from + at) * 1_000 }),
  )
}

/** Stores each group of events as one message, whatever its number; returns the sequences. */
export async function publishPacks(
  connection: Connection,
  stream: StreamDeclaration,
  groups: readonly (readonly Event[])[],
): Promise<number[]> {
  const sequences: number[] = []
  for (const events of groups) {
    const [first] = events
    const subject = publishSubject(stream.root, first?.key, first?.type ?? 'none')
    sequences.push((await publishOnce(connection, { subject, ...packEvents(events) })).sequence)
  }
  return sequences
}

/** Splits a list into lists of the given lengths. */
export function splitInto<T>(list: readonly T[], lengths: readonly number[]): T[][] {
  let at = 0
  return lengths.map((length) => list.slice(at, (at += length)))
}
