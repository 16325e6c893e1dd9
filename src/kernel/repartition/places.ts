import type { Connection } from '../../broker/connection.js'
import type { StreamDeclaration } from '../../broker/define-stream.js'
import type { StoredMessage } from '../../broker/stored-message.js'
import { readStreamIdentity } from '../../broker/stream-identity.js'
import { decodeAll } from '../../event/decode.js'
import { openEnvelope } from '../../event/decode-event.js'
import { partitionOfKey } from '../../event/partition.js'
import type { Registry } from '../../event/registry.js'
import { parseStoredSubject, storedFilter } from '../../event/subject.js'
import type { Clock } from '../../time/clock.js'
import { readRange } from '../read-range.js'

export interface PlacesOptions {
  readonly connection: Connection
  readonly clock: Clock
  readonly registry: Registry
  readonly stream: Pick<StreamDeclaration, 'name' | 'root'>
}

/** How many messages are looked at. */
const LOOKED_AT = 2_000

/**
 * Looks at the last events of a stream for one that is not in the partition of its key, because its publisher names
 * another key in the subject, or none. With one partition that does not show: there an event counts that does not name
 * its key beside its data, as no publisher of Millrace makes it.
 * @param after sequence up to which events are where another number of partitions has put them
 * @returns the key; undefined: there is none
 * @throws errors of the broker
 */
export async function astrayEvent(
  options: PlacesOptions,
  { after, partitions }: { readonly after: number; readonly partitions: number },
): Promise<string | undefined> {
  const { connection, clock, stream } = options
  const { last } = await readStreamIdentity(connection, stream.name)
  const from = Math.max(after + 1, last - LOOKED_AT)
  let astray: string | undefined
  const range = { stream: stream.name, filter: storedFilter(stream.root), from, to: last }
  await readRange(connection, clock, range, (message) => {
    for (const { key, named, partition } of placesIn(options, message))
      if (partition !== partitionOfKey(key, partitions) || (partitions === 1 && !named && key !== undefined))
        astray ??= key ?? ''
  })
  return astray
}

/**
 * Whether a message after `after` is still where `from` partitions put it. On a stream with replicas, one that becomes
 * the leader may not have heard of the new number yet.
 * @throws errors of the broker
 */
export async function hasStragglers(
  options: PlacesOptions,
  { after, from, to }: { readonly after: number; readonly from: number; readonly to: number },
): Promise<boolean> {
  const { connection, clock, stream } = options
  const { last } = await readStreamIdentity(connection, stream.name)
  let found = false
  const range = { stream: stream.name, filter: storedFilter(stream.root), from: after + 1, to: last }
  await readRange(connection, clock, range, (message) => {
    for (const { key, partition } of placesIn(options, message))
      if (partition === partitionOfKey(key, from) && partition !== partitionOfKey(key, to)) found = true
  })
  return found
}

interface Place {
  readonly key: string | undefined
  /** Whether the key is named beside the data. */
  readonly named: boolean
  readonly partition: number
}

function placesIn({ registry, stream }: PlacesOptions, message: StoredMessage): Place[] {
  const stored = parseStoredSubject(stream.root, message.subject)
  if (stored === undefined) return []
  const at = { stream: stream.name, sequence: message.sequence, storedAt: message.storedAt }
  return decodeAll(message).flatMap((decoded): Place[] => {
    const opened = decoded.kind === 'rejected' ? decoded : openEnvelope(registry, decoded.envelope, at)
    if (decoded.kind === 'rejected' || opened.kind === 'rejected') return []
    return [{ key: opened.event.key, named: decoded.envelope.key !== undefined, partition: stored.partition }]
  })
}
