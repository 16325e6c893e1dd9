import type { Connection } from '../../src/broker/connection.ts'
import { readLastMessages } from '../../src/broker/last-messages.ts'
import { commitFilter } from '../../src/broker/system-subject.ts'
import { decodeCommitRecord } from '../../src/kernel/commit-record.ts'
import { systemClock } from '../../src/time/system-clock.ts'

/** Limits for a machine that has other things to do. */
const START_LIMIT_MS = 120_000
const END_LIMIT_MS = 240_000

/** Waits until so many units whose commit subjects have `part` in them are claimed. */
export async function untilClaimed(
  connection: Connection,
  stream: string,
  { units, part = '' }: { readonly units: number; readonly part?: string },
): Promise<void> {
  const deadline = performance.now() + START_LIMIT_MS
  for (;;) {
    const records = await readLastMessages(connection, systemClock, stream, commitFilter(stream))
    if ([...records.keys()].filter((subject) => subject.includes(part)).length >= units) return
    if (performance.now() > deadline) throw new Error(`only ${records.size} units have started in time`)
    await new Promise((resolve) => setTimeout(resolve, 200))
  }
}

/**
 * Waits until nothing is behind and nothing has been stored for a while.
 * @param behind how many messages are not handled yet
 * @param stored something that differs when more is stored
 */
export async function untilQuiet(
  quietMs: number,
  look: { readonly behind: () => Promise<number>; readonly stored: () => Promise<string> },
): Promise<void> {
  const deadline = performance.now() + END_LIMIT_MS
  let quietSince = performance.now()
  let last = ''
  while (performance.now() - quietSince < quietMs) {
    await new Promise((resolve) => setTimeout(resolve, 200))
    const behind = await look.behind().catch(() => -1) // the server may be starting still
    const stored = await look.stored().catch(() => '')
    if (behind !== 0 || stored !== last) quietSince = performance.now()
    last = stored
    if (performance.now() > deadline) throw new Error(`after ${END_LIMIT_MS} ms ${behind} messages are still behind`)
  }
}

/** Claims beyond the first of each unit. */
export async function takeovers(connection: Connection, stream: string): Promise<number> {
  const records = await readLastMessages(connection, systemClock, stream, commitFilter(stream))
  let claims = 0
  for (const [subject, { data }] of records) claims += decodeCommitRecord(data, subject).generation - 1
  return claims
}

/** Where the last messages of streams are. */
export async function lastSequences({ manager }: Connection, streams: readonly string[]): Promise<string> {
  const states = await Promise.all(streams.map((name) => manager.streams.info(name)))
  return states.map(({ state }) => state.last_seq).join(' ')
}
