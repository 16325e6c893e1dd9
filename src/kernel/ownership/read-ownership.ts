import type { Connection } from '../../broker/connection.js'
import { Feed } from '../../broker/feed.js'
import { OWNERSHIP_STREAM, ownershipSubjects, readOwnershipStream } from '../../broker/ownership-stream.js'
import { fault } from '../../error/millrace-error.js'
import type { Clock } from '../../time/clock.js'
import { GroupView, type LogEntry } from './group-view.js'
import { requireName, type MemberState } from './messages.js'

/** One member, as it was last heard of. */
export interface MemberStatus {
  readonly id: string
  readonly state: MemberState
  /** How long ago it was heard of, by the server’s clock, in ms. */
  readonly silentMs: number
  /** False: it has been silent for longer than the lease, and others take what it holds. */
  readonly alive: boolean
  /** Units that it will not run again, each with the code of the error. */
  readonly refused: Readonly<Record<string, string>>
}

export interface UnitStatus {
  readonly id: string
  /** Undefined: no living member can run it. */
  readonly processor: string | undefined
  /** Undefined: nobody holds it. */
  readonly owner: string | undefined
  /** False: its owner is silent, and it waits for another. */
  readonly alive: boolean
}

/** Who runs what in one group, at one moment. */
export interface OwnershipStatus {
  readonly members: readonly MemberStatus[]
  readonly units: readonly UnitStatus[]
  /** Processors that are meant to stand still, each with the reason that was given. */
  readonly paused: ReadonlyMap<string, string | undefined>
}

const LIMIT_MS = 5_000

/**
 * Reads who runs what, without joining the group. Empty where no member ever was.
 * @param leaseMs of the members. Default 3,000
 * @throws OWNERSHIP_NAME_INVALID, BROKER_TIMEOUT and others of the broker
 */
export async function readOwnership(
  connection: Connection,
  clock: Clock,
  group: string,
  leaseMs = 3_000,
): Promise<OwnershipStatus> {
  requireName('group', group)
  const stream = await readOwnershipStream(connection)
  if (stream === undefined) return { members: [], units: [], paused: new Map() }
  const entries = await readGroup(connection, clock, group)
  const view = new GroupView('', leaseMs)
  const heard = new Map<string, number>()
  const now = Date.parse(stream.ts ?? '') // every server that is supported says it
  for (const entry of entries) {
    view.apply(entry, 0)
    const [, , , kind, id = ''] = entry.subject.split('.')
    if (kind === 'member') heard.set(id, Math.max(0, now - entry.storedAt))
  }
  const silence = (id: string): number => heard.get(id) ?? Infinity
  const alive = (id: string): boolean => silence(id) < leaseMs
  const members = view.members.map(({ id, state }) => ({
    id,
    state,
    silentMs: silence(id),
    alive: alive(id),
    refused: view.offerOf(id)?.refused ?? {},
  }))
  return { members, units: unitStatus(view, alive), paused: view.paused }
}

/** Processors of a group that are meant to stand still, each with its reason. @throws as readOwnership */
export async function readPaused(
  connection: Connection,
  clock: Clock,
  group: string,
): Promise<ReadonlyMap<string, string | undefined>> {
  return (await readOwnership(connection, clock, group)).paused
}

function unitStatus(view: GroupView, alive: (member: string) => boolean): UnitStatus[] {
  const processors = new Map<string, string>()
  for (const { id, units } of view.candidates)
    if (alive(id)) for (const [unit, processor] of units) processors.set(unit, processor)
  const ids = new Set([...processors.keys(), ...view.records.keys()])
  return [...ids].sort().map((id) => {
    const owner = view.records.get(id)?.owner ?? undefined
    return { id, processor: processors.get(id), owner, alive: owner !== undefined && alive(owner) }
  })
}

async function readGroup(connection: Connection, clock: Clock, group: string): Promise<LogEntry[]> {
  const entries: LogEntry[] = []
  let feed: Feed | undefined
  let cancel: () => void = () => undefined
  try {
    await new Promise<void>((resolve, reject) => {
      cancel = clock.after(LIMIT_MS, () =>
        reject(fault('BROKER_TIMEOUT', `reading ${OWNERSHIP_STREAM} took longer than ${LIMIT_MS} ms`)),
      )
      const opened: Feed = (feed = new Feed(connection, {
        stream: OWNERSHIP_STREAM,
        filters: [ownershipSubjects(group)],
        start: { kind: 'sequence', sequence: 1 },
        clock,
        onMessages: (messages) => {
          entries.push(...messages)
          opened.release(messages.length)
        },
        onFailure: reject,
        onCaughtUp: resolve,
      }))
    })
    return entries
  } finally {
    cancel()
    feed?.stop()
  }
}
