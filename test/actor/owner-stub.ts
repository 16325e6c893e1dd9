// An owner of accounts for tests of those who ask: it stores records as an owner does, and answers when it is told to.
import { commandStream } from '../../src/actor/command-stream.ts'
import { CommandSender, type ActorHome } from '../../src/actor/command-sender.ts'
import { encodeRecord, type CommandEffect } from '../../src/actor/encode-record.ts'
import { encodeOutcome, replyOf, type Outcome } from '../../src/actor/outcome.ts'
import { remember, commandMark } from '../../src/actor/remembered.ts'
import { applyStreams } from '../../src/broker/apply-streams.ts'
import type { Connection } from '../../src/broker/connection.ts'
import type { StreamDeclaration } from '../../src/broker/define-stream.ts'
import { planStreams } from '../../src/broker/plan-streams.ts'
import { publishOnce } from '../../src/broker/publish-once.ts'
import { publishBatch } from '../../src/broker/batch.ts'
import { decodeEvent } from '../../src/event/decode-event.ts'
import type { EventDraft, StoredEvent } from '../../src/event/event.ts'
import { createRegistry } from '../../src/event/registry.ts'
import { systemId } from '../../src/time/system-chance.ts'
import { systemClock } from '../../src/time/system-clock.ts'
import type { Clock } from '../../src/time/clock.ts'
import { freshStream } from '../support/broker.ts'
import { readAll } from '../support/events.ts'
import { account } from './sample-actors.ts'

const registry = createRegistry(account.commands)

/** A stream with its commands, and where accounts are in it. */
export async function accountHome(connection: Connection): Promise<ActorHome & { readonly stream: StreamDeclaration }> {
  const stream = await freshStream(connection)
  const commands = commandStream(stream)
  await applyStreams(connection, await planStreams(connection, [commands]))
  return { actor: account.name, records: stream, commands, stream }
}

export function senderOver(connection: Connection, clock: Clock = systemClock): CommandSender {
  return new CommandSender({ connection, clock, newId: systemId })
}

/** The commands that are stored, in order. */
export async function commandsIn(connection: Connection, { commands }: ActorHome): Promise<StoredEvent[]> {
  const messages = await readAll(connection, commands.name)
  return messages.flatMap(({ headers, data, sequence, storedAt }) => {
    const decoded = decodeEvent(registry, headers, data, { stream: commands.name, sequence, storedAt })
    return decoded.kind === 'event' ? [decoded.event] : []
  })
}

export interface Decided {
  readonly command: Pick<StoredEvent, 'id' | 'sequence'>
  readonly events?: readonly EventDraft[]
  readonly rejected?: CommandEffect['rejected']
}

/** Stores one record about an account. @param before its version until then @returns its last sequence */
export async function decide(
  connection: Connection,
  { records }: ActorHome,
  id: string,
  before: number,
  decided: readonly Decided[],
  maxPayload = 1_000_000,
): Promise<number> {
  const effects = decided.map(({ command, events = [], rejected }) => ({
    commandId: command.id,
    sequence: command.sequence,
    time: Date.now(),
    events,
    rejected,
  }))
  const v = before + effects.reduce((sum, { events }) => sum + events.length, 0)
  const c = decided.reduce<string | undefined>(
    (all, { command }) => remember(all, commandMark(command.id), 32),
    undefined,
  )
  const frame = { sv: 1, v, s: {}, ...(c === undefined ? {} : { c }) }
  const { messages } = encodeRecord({ type: 'account', id, before, effects, frame, root: records.root, maxPayload })
  const [only, ...more] = messages
  if (only !== undefined && more.length === 0) return (await publishOnce(connection, only)).sequence
  return (await publishBatch(connection, messages)).last
}

/** Tells whoever asked. */
export function answer(connection: Connection, command: StoredEvent, outcome: Outcome): void {
  const reply = replyOf(command)
  if (reply !== undefined) connection.nats.publish(reply, encodeOutcome(outcome))
}

/** Waits for a promise to reject, with what is expected. */
export async function rejects(
  pending: Promise<unknown>,
  expected: RegExp | ((error: unknown) => boolean),
): Promise<void> {
  const error = await pending.then(
    () => new Error('it did not reject'),
    (thrown: unknown) => thrown,
  )
  const fits = expected instanceof RegExp ? expected.test(String(error)) : expected(error)
  if (!fits) throw error
}
