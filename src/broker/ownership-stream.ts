import { DiscardPolicy, RetentionPolicy, StorageType, type StreamInfo } from '@nats-io/jetstream'
import { isFault } from '../error/millrace-error.js'
import { asFault } from './api-error.js'
import { applyStreams } from './apply-streams.js'
import type { Connection } from './connection.js'
import { compare } from './plan-streams.js'
import type { ManagedConfig } from './stream-config.js'

/** Stream in which processes agree on who runs what. */
export const OWNERSHIP_STREAM = 'MILLRACE_OWNERSHIP'

/** Everything that the processes of one group say to each other. */
export function ownershipSubjects(group: string): string {
  return `millrace.ownership.${group}.>`
}

/**
 * What is said about what: `member` that it lives, `offer` which units a member can run, `unit` who holds it, `paused`
 * whether a processor is meant to run.
 */
export type OwnershipSubjectKind = 'member' | 'offer' | 'unit' | 'paused'

export function ownershipSubject(group: string, kind: OwnershipSubjectKind, name: string): string {
  return `millrace.ownership.${group}.${kind}.${name}`
}

/** What a subject of the stream is about; undefined for one that another program made up. */
export function readOwnershipSubject(subject: string): { kind: OwnershipSubjectKind; name: string } | undefined {
  const [, , , kind, name, ...more] = subject.split('.')
  if (name === undefined || more.length > 0) return undefined
  return kind === 'member' || kind === 'offer' || kind === 'unit' || kind === 'paused' ? { kind, name } : undefined
}

/** Header that makes the server drop a message after so many seconds (ADR-43); at least 1. */
export function expiresAfter(seconds: number): readonly [string, string] {
  return ['Nats-TTL', `${seconds}s`]
}

/**
 * Only the last word on each subject counts. On file, though most of it is about the moment: who holds what has to
 * outlive a restart of the server, or everybody would take everything again, and so has the wish that a processor
 * pauses. What is written is small, about 2 KB a second for eight processes.
 */
function ownershipConfig(replicas: number): ManagedConfig & { readonly max_msgs_per_subject: number } {
  return {
    name: OWNERSHIP_STREAM,
    description: 'Which process runs which unit of the processors',
    subjects: ['millrace.ownership.>'],
    retention: RetentionPolicy.Limits,
    storage: StorageType.File,
    num_replicas: replicas,
    max_msgs_per_subject: 1,
    max_age: 0,
    max_bytes: -1,
    discard: DiscardPolicy.Old,
    duplicate_window: 120_000_000_000,
    allow_direct: true,
    allow_rollup_hdrs: true,
    deny_delete: false,
    allow_msg_ttl: true,
  }
}

/**
 * Makes the stream of ownership, or brings it up to date. It keeps at least `replicas`: of several processes that ask for
 * different numbers the largest counts.
 * @throws STREAM_CHANGE_REFUSED, STREAM_FLAGS_DROPPED and others of the broker
 */
export async function ensureOwnershipStream(connection: Connection, replicas: number): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    const deployed = (await readOwnershipStream(connection))?.config
    const config = ownershipConfig(Math.max(replicas, deployed?.num_replicas ?? 1))
    try {
      const step =
        deployed === undefined ? { kind: 'create' as const, stream: config.name, config } : compare(config, deployed)
      return await applyStreams(connection, [step])
    } catch (error) {
      // another process was making it at the same moment, with another number of replicas
      if (deployed !== undefined || attempt > 1 || !isFault(error, 'STREAM_CHANGE_REFUSED')) throw error
    }
  }
}

/** The stream as the server has it; undefined when there is none. @throws errors of the broker */
export async function readOwnershipStream({ manager }: Connection): Promise<StreamInfo | undefined> {
  try {
    return await manager.streams.info(OWNERSHIP_STREAM)
  } catch (error) {
    const known = asFault(error, `reading stream ${OWNERSHIP_STREAM}`)
    if (known.code === 'STREAM_NOT_FOUND') return undefined
    throw known
  }
}
