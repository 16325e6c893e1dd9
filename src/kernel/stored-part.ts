// A batch is stored as a whole or not at all, with one exception that was met: a server with one replica that runs out of
// storage in the middle of one (nats-server 2.15.1) has stored the first of its messages, and does not answer.
import type { Connection } from '../broker/connection.js'
import { messageAt, nextMessage, type FoundMessage } from '../broker/next-message.js'
import { storedFilter } from '../event/subject.js'
import type { WireMessage } from '../event/wire.js'

interface Output {
  readonly connection: Connection
  readonly output: string
  /** Of the events in it. */
  readonly root: string | undefined
}

/** How many messages of the same subject, by others, are looked at. */
const MOST = 2_000

/**
 * What of a commit is not stored yet, after an attempt of unknown outcome whose record was not stored.
 * @param after sequence of the last record: no message of the commit is stored before it
 * @throws errors of the broker
 */
export async function missingPart(
  { connection, output: stream, root }: Output,
  messages: readonly WireMessage[],
  after: number,
): Promise<readonly WireMessage[]> {
  const [beginning] = messages
  if (beginning === undefined) return messages
  const first = await firstStored(connection, stream, storedAs(beginning.subject, root), beginning, after)
  if (first === undefined) return messages
  // the part is a beginning, and lies in one piece
  let [stored, missing] = [1, messages.length]
  while (stored < missing) {
    const at = Math.floor((stored + missing) / 2)
    const found = await messageAt(connection, stream, first + at)
    if (isSame(found, messages[at])) stored = at + 1
    else missing = at
  }
  return messages.slice(stored)
}

async function firstStored(
  connection: Connection,
  stream: string,
  filter: string,
  first: WireMessage,
  after: number,
): Promise<number | undefined> {
  for (let [from, looked] = [after + 1, 0]; looked < MOST; looked++) {
    const found = await nextMessage(connection, stream, filter, from)
    if (found === undefined) return undefined
    if (isSame(found, first)) return found.sequence
    from = found.sequence + 1
  }
  return undefined
}

/** The stream stores an event under its partition, in place of its key. */
function storedAs(subject: string, root: string | undefined): string {
  if (root === undefined || !subject.startsWith(`${root}.`)) return subject
  const [, ...type] = subject.slice(root.length + 1).split('.')
  return storedFilter(root, type.join('.'))
}

/** Messages of a commit differ from all others in their ids, which are in their headers or, packed, in their data. */
function isSame(found: FoundMessage | undefined, message: WireMessage | undefined): boolean {
  if (found === undefined || message === undefined) return false
  return (
    Buffer.from(found.data).equals(message.data) &&
    message.headers.every(([name, value]) => found.header(name).includes(value))
  )
}
