// Publishing and reading events in tests.
import type { Connection } from '../../src/broker/connection.ts'
import type { StreamDeclaration } from '../../src/broker/define-stream.ts'
import { Feed } from '../../src/broker/feed.ts'
import { Publisher } from '../../src/broker/publisher.ts'
import type { StoredMessage } from '../../src/broker/stored-message.ts'
import { completeDraft } from '../../src/event/complete.ts'
import { encodeEvent } from '../../src/event/encode.ts'
import type { EventDraft } from '../../src/event/event.ts'
import { messageId } from '../../src/event/identity.ts'
import { publishSubject, storedFilter } from '../../src/event/subject.ts'
import { systemClock } from '../../src/time/system-clock.ts'

let serial = 0

/** Publishes drafts in order and resolves when all are stored. */
export async function publishAll(
  connection: Connection,
  stream: StreamDeclaration,
  drafts: Iterable<EventDraft>,
): Promise<void> {
  const publisher = new Publisher(connection, { clock: systemClock })
  const receipts: Promise<unknown>[] = []
  for (const draft of drafts) {
    const event = completeDraft(draft, { id: `e${(serial += 1)}`, source: '/test', time: Date.now() })
    const { headers, data } = encodeEvent(event)
    const subject = publishSubject(stream.root, event.key, event.type)
    await publisher.ready()
    receipts.push(
      publisher.publish({ subject, data, headers: [...headers, ['Nats-Msg-Id', messageId(event.source, event.id)]] }),
    )
  }
  await Promise.all(receipts)
  publisher.close()
}

/** Everything that a stream holds under the given stored subjects, in order. */
export function readAll(
  connection: Connection,
  stream: string,
  filters: readonly string[] = [],
): Promise<StoredMessage[]> {
  return new Promise((resolve, reject) => {
    const read: StoredMessage[] = []
    const feed: Feed = new Feed(connection, {
      stream,
      filters,
      start: { kind: 'sequence', sequence: 1 },
      clock: systemClock,
      onMessages: (messages) => {
        read.push(...messages)
        feed.release(messages.length)
      },
      onFailure: reject,
      onCaughtUp: () => {
        feed.stop()
        resolve(read)
      },
    })
  })
}

/** How many messages of a type a stream holds, counted by the server: to read them all at every look starves who works. */
export async function countOf(
  { manager }: Connection,
  { name, root }: Pick<StreamDeclaration, 'name' | 'root'>,
  type: string,
): Promise<number> {
  const { state } = await manager.streams.info(name, { subjects_filter: storedFilter(root, type) })
  return Object.values(state.subjects ?? {}).reduce((sum, held) => sum + held, 0)
}
