import type { Connection } from '../broker/connection.js'
import type { StreamDeclaration } from '../broker/define-stream.js'
import { eraseMessage } from '../broker/erase-message.js'
import { messagesFrom } from '../broker/messages-from.js'
import { messageAt } from '../broker/next-message.js'
import { publishOnce } from '../broker/publish-once.js'
import { readLast } from '../broker/last-message.js'
import { z } from 'zod'
import { defineEvent } from '../event/contract.js'
import { encodeEvent } from '../event/encode.js'
import { messageId } from '../event/identity.js'
import { publishSubject } from '../event/subject.js'
import type { Clock } from '../time/clock.js'
import { recordSubjects } from './aggregate-subject.js'
import { subjectOf } from './load-aggregate.js'
import { eraseKey, type ErasedKey } from './personal-keys.js'
import type { ActorDeclaration } from './actor-options.js'
import { readRecordHead } from './read-record.js'
import { nameOf } from './read-records.js'
import { fromDelivered } from './record.js'

/** What is in the log of an erasure: that it was, and of whom by token alone. */
export const PersonalErased = defineEvent('millrace.personal-erased', {
  data: z.object({ subject: z.string(), keys: z.array(z.string()) }),
  key: ({ subject }) => subject,
  source: '/millrace/erasure',
  description: 'The personal values of a subject were erased',
})

/** An aggregate, and where its records and commands are. */
export interface ErasedAggregate {
  readonly actor: ActorDeclaration
  readonly stream: StreamDeclaration
  readonly commands: StreamDeclaration
  readonly id: string
}

/**
 * The token of the subject that what is personal of an aggregate is about.
 * @throws AGGREGATE_ID_INVALID, AGGREGATE_RECORD_INVALID; errors of the broker
 */
export async function subjectOfAggregate(
  connection: Connection,
  { actor, stream, id }: Pick<ErasedAggregate, 'actor' | 'stream' | 'id'>,
): Promise<string | undefined> {
  const last = await readLast(connection, stream.name, recordSubjects(stream, actor.name, id))
  if (last === undefined) return undefined
  const { frame } = readRecordHead(last, nameOf({ type: actor.name, id }))
  return frame?.p ?? (actor.personal?.subject === undefined ? subjectOf(actor, id) : undefined)
}

/**
 * Erases what is personal of a subject: its key, and then says so in the log of each stream. Done again it does what is
 * left to do.
 * @param streams of actors that have personal values
 * @returns undefined: the subject never had a key
 * @throws errors of the broker
 */
export async function erasePersonal(
  connection: Connection,
  subject: string,
  streams: readonly StreamDeclaration[],
  clock: Clock,
): Promise<ErasedKey | undefined> {
  const erased = await eraseKey(connection, subject)
  if (erased === undefined) return undefined
  const draft = PersonalErased({ subject, keys: [...erased.keys] })
  const source = draft.source ?? ''
  const id = `erased:${subject}:${erased.revision}`
  const { headers, data } = encodeEvent({ ...draft, id, source, time: clock.now() })
  headers.push(['Nats-Msg-Id', messageId(source, id)])
  for (const { root } of streams)
    await publishOnce(connection, { subject: publishSubject(root, draft.key, draft.type), headers, data })
  return erased
}

/**
 * Erases the commands that were decided for an aggregate, which have in the clear what its records have sealed. One that
 * waits stays.
 * @returns how many
 * @throws AGGREGATE_RECORD_INVALID; errors of the broker
 */
export async function eraseDecidedCommands(
  connection: Connection,
  { actor, stream, commands, id }: ErasedAggregate,
  clock: Clock,
): Promise<number> {
  const where = nameOf({ type: actor.name, id })
  const filter = recordSubjects(stream, actor.name, id)
  const firstKept = (await connection.manager.streams.info(commands.name)).state.first_seq
  let count = 0
  for await (const message of messagesFrom(connection, {
    stream: stream.name,
    filter,
    from: 1,
    clock,
    untilCaughtUp: true,
  }))
    for (const { c, q } of readRecordHead(fromDelivered(message), where).decided) {
      if (q < Math.max(1, firstKept)) continue
      const found = await messageAt(connection, commands.name, q)
      // in a stream that was made anew there is another one
      if (found?.header('ce-id')[0] !== c) continue
      if (await eraseMessage(connection, commands.name, q)) count += 1
    }
  return count
}
