// Judges what actors have stored, against what their decider makes of the command log: every history is decided again,
// alone, in the order of the log.
import type { Connection } from '../../src/broker/connection.ts'
import type { StoredMessage } from '../../src/broker/stored-message.ts'
import type { Registry } from '../../src/event/registry.ts'
import { fromDelivered, type AggregateRecord } from '../../src/actor/record.ts'
import { readRecord } from '../../src/actor/read-record.ts'
import { parseRecordSubject, recordFilter } from '../../src/actor/aggregate-subject.ts'
import { decodeEvents } from '../../src/event/decode-event.ts'
import type { StoredEvent } from '../../src/event/event.ts'
import { readAll } from '../../test/support/events.ts'
import { AccountHistory } from './account-history.ts'

export interface ActorVerdict {
  readonly commands: number
  readonly aggregates: number
  readonly records: number
  readonly events: number
  /** Commands without an effect; timers and steps that never came. */
  readonly lost: number
  /** Commands, timers and steps with two effects. */
  readonly duplicated: number
  /** Decisions other than those that follow from the log; states that do not follow from the events. */
  readonly different: number
  readonly outOfOrder: number
  /** Versions that are missing or there twice. */
  readonly gaps: number
  readonly timers: number
  readonly steps: number
  readonly examples: readonly string[]
}

export interface Ledger {
  readonly stream: { readonly name: string; readonly root: string }
  readonly commands: { readonly name: string; readonly root: string }
}

/** @param acknowledged ids of commands that their sender was promised */
export async function judgeActors(
  connection: Connection,
  registry: Registry,
  { stream, commands }: Ledger,
  acknowledged: readonly string[],
): Promise<ActorVerdict> {
  const log = new Map<number, StoredEvent>()
  for (const message of await readAll(connection, commands.name, [`${commands.root}.>`]))
    for (const event of eventsOf(registry, message, commands.name)) log.set(event.sequence, event)
  const records: AccountRecord[] = []
  for (const message of await readAll(connection, stream.name, [recordFilter(stream.root, 'account')])) {
    const id = parseRecordSubject(stream.root, message.subject)?.id
    if (id === undefined) throw new Error(`${message.subject} is no record`)
    records.push({ id, record: readRecord(registry, fromDelivered(message), stream.name, message.subject) })
  }
  return judgeRecords(log, records, acknowledged)
}

/** A record and whose it is. */
export interface AccountRecord {
  readonly id: string
  readonly record: AggregateRecord
}

/**
 * Judges records in the order in which they are stored.
 * @param log commands by their sequence
 */
export function judgeRecords(
  log: ReadonlyMap<number, StoredEvent>,
  records: readonly AccountRecord[],
  acknowledged: readonly string[],
): ActorVerdict {
  const histories = new Map<string, AccountHistory>()
  for (const { id, record } of records) {
    const history = histories.get(id) ?? new AccountHistory(id, log)
    histories.set(id, history)
    history.add(record)
  }
  return sum([...histories.values()], records.length, acknowledged)
}

function eventsOf(registry: Registry, message: StoredMessage, stream: string): StoredEvent[] {
  const { sequence, storedAt } = message
  return decodeEvents(registry, message, { stream, sequence, storedAt, kept: true }).flatMap((decoded) =>
    decoded.kind === 'event' ? [decoded.event] : [],
  )
}

function sum(histories: readonly AccountHistory[], records: number, acknowledged: readonly string[]): ActorVerdict {
  const totals = { events: 0, lost: 0, duplicated: 0, different: 0, outOfOrder: 0, gaps: 0, timers: 0, steps: 0 }
  const examples: string[] = []
  const decided = new Set<string>()
  for (const history of histories) {
    history.end()
    for (const name of Object.keys(totals) as (keyof typeof totals)[]) totals[name] += history.counts[name]
    examples.push(...history.examples)
    for (const id of history.decided) decided.add(id)
  }
  const sent = new Set(acknowledged)
  for (const id of sent) {
    if (decided.has(id)) continue
    totals.lost += 1
    examples.push(`${id} was acknowledged and never decided`)
  }
  return { commands: sent.size, aggregates: histories.length, records, ...totals, examples: examples.slice(0, 20) }
}
