import { expectLastSequence, NEVER_EXPIRES } from '../../broker/batch.js'
import { Feed } from '../../broker/feed.js'
import { publishOnce } from '../../broker/publish-once.js'
import type { StoredMessage } from '../../broker/stored-message.js'
import { readStreamIdentity } from '../../broker/stream-identity.js'
import { isFault } from '../../error/millrace-error.js'
import { decodeAll } from '../../event/decode.js'
import { partitionOfKey } from '../../event/partition.js'
import type { WireMessage } from '../../event/wire.js'
import type { Processor } from '../processor.js'
import { inTurns } from './in-turns.js'
import type { RepartitionOptions } from './repartition-options.js'
import type { Situation } from './situation.js'

const TARGET = 'Nats-Schedule-Target'
const SCHEDULE = 'Nats-Schedule'
const AT_ONCE = 512

/**
 * Has timers that wait for their time fire into a partition of their outbox that there is afterwards: what comes into
 * another one nobody carries over. To be done while those who set timers are held, and before the outbox is drained: one
 * that fires until then is drained with it. A second time it finds nothing.
 * @throws the signal’s reason, and errors of the broker
 */
export async function moveTimers(options: RepartitionOptions, { affected, from, to }: Situation): Promise<void> {
  if (to >= from) return
  for (const { before } of affected.movers) if (before.kind === 'outbox') await moveThose(options, before, to)
}

async function moveThose(options: RepartitionOptions, outbox: Processor, partitions: number): Promise<void> {
  const { connection, clock, signal } = options
  const { name: stream, root } = outbox.from.stream
  const { last } = await readStreamIdentity(connection, stream)
  let feed: Feed | undefined
  let moved = Promise.resolve()
  try {
    await new Promise<void>((resolve, reject) => {
      const move = async (messages: readonly StoredMessage[]): Promise<void> => {
        signal?.throwIfAborted()
        await inTurns(
          messages.flatMap((message) => elsewhere(root, partitions, message) ?? []),
          (message) => store(options, message),
        )
        feed?.release(messages.length)
        if ((messages.at(-1)?.sequence ?? 0) >= last) resolve()
      }
      feed = new Feed(connection, {
        stream,
        filters: [`millrace.${stream}.timer.>`],
        start: { kind: 'sequence', sequence: 1 },
        credit: AT_ONCE,
        clock,
        onMessages: (messages) => {
          moved = moved.then(() => move(messages))
          moved.catch(reject)
        },
        onCaughtUp: () => void moved.then(resolve, reject),
        onFailure: reject,
      })
    })
  } finally {
    feed?.stop()
  }
}

/** A schedule whose target is a partition that is no more, with another one; undefined: it can stay. */
function elsewhere(root: string, partitions: number, message: StoredMessage): WireMessage | undefined {
  const { subject, sequence, headers, data } = message
  const target = headers.get(TARGET) ?? ''
  if (!target.startsWith(`${root}.`)) return undefined
  const [token = '', ...type] = target.slice(root.length + 1).split('.')
  if (!(Number(token) >= partitions)) return undefined
  const [decoded] = decodeAll(message)
  const key = decoded?.kind === 'rejected' ? undefined : decoded?.envelope.key
  const partition = key === undefined ? Number(token) % partitions : partitionOfKey(key, partitions)
  return {
    subject,
    headers: [
      // of those for the server, a stored message has some that were for its own batch
      ...[...headers.entries()].filter(([name]) => !name.startsWith('Nats-')),
      [SCHEDULE, headers.get(SCHEDULE) ?? ''],
      [TARGET, [root, String(partition), ...type].join('.')],
      NEVER_EXPIRES,
      expectLastSequence(sequence),
    ],
    data,
  }
}

async function store({ connection }: RepartitionOptions, message: WireMessage): Promise<void> {
  try {
    await publishOnce(connection, message)
  } catch (error) {
    if (!isFault(error, 'SEQUENCE_CONFLICT')) throw error // it has fired, or was moved by another command
  }
}
