// What the kernel promises of one unit on a real server, made from its log and its journal.
import * as assert from 'uvu/assert'
import type { Connection } from '../../src/broker/connection.ts'
import type { StreamDeclaration } from '../../src/broker/define-stream.ts'
import { readLast } from '../../src/broker/last-message.ts'
import { commitSubject, journalSubject } from '../../src/broker/system-subject.ts'
import { storedFilter } from '../../src/event/subject.ts'
import { decodeCommitRecord, type CommitRecord } from '../../src/kernel/commit-record.ts'
import type { JournalEntry } from '../../src/kernel/decision.ts'
import { inputFilters } from '../../src/kernel/input-filters.ts'
import { processorId, type Processor } from '../../src/kernel/processor.ts'
import { readAppendixRange } from '../../src/kernel/read-appendix.ts'
import { systemClock } from '../../src/time/system-clock.ts'
import { readAll } from '../support/events.ts'
import { High } from '../support/kill-fixture.ts'
import { functionOf } from './crash-property.ts'

export async function recordOf(
  connection: Connection,
  processor: Processor,
  partition = 'all',
): Promise<CommitRecord | undefined> {
  const stream = processor.to.stream.name
  const subject = commitSubject(stream, processorId(processor), partition)
  const last = await readLast(connection, stream, subject)
  return last === undefined ? undefined : decodeCommitRecord(last.data, subject)
}

/** Every decision of a unit that is stored, in order. */
export async function journalOn(
  connection: Connection,
  processor: Processor,
  partition = 'all',
): Promise<JournalEntry[]> {
  const stream = processor.to.stream.name
  const subject = journalSubject(stream, processorId(processor), partition)
  const range = { stream, subject, from: 1, to: Number.MAX_SAFE_INTEGER }
  const parts = await readAppendixRange(connection, systemClock, range)
  return parts.flatMap(({ items }) => items as JournalEntry[])
}

/** Id and data of the outputs that a unit ought to have: what follows from its log and its journal. */
export async function expectedOutputs(
  connection: Connection,
  processor: Processor,
  partition = 'all',
): Promise<string[]> {
  const log = await readAll(connection, processor.from.stream.name, inputFilters(processor, partition))
  const { outputs } = functionOf({ log, processor }, await journalOn(connection, processor, partition), partition)
  return outputs.map((output) => `${/ce-id=(\S+)/.exec(output)?.[1]} ${output.slice(output.indexOf('{'))}`)
}

/** Id and data of the outputs that are there, in order. */
export async function actualOutputs(connection: Connection, stream: StreamDeclaration): Promise<string[]> {
  const messages = await readAll(connection, stream.name, [storedFilter(stream.root, High.type)])
  return messages.map(({ headers, data }) => `${headers.get('ce-id')} ${Buffer.from(data).toString()}`)
}

/** Fails with the first difference: there are thousands of them. */
export function assertSame(actual: readonly string[], expected: readonly string[]): void {
  const at = expected.findIndex((output, n) => output !== actual[n])
  if (at >= 0) assert.equal(actual.slice(Math.max(0, at - 2), at + 4), expected.slice(Math.max(0, at - 2), at + 4))
  assert.is(actual.length, expected.length)
}

/** How often each kind of decision was taken. */
export function kindsOf(journal: readonly JournalEntry[]): Record<string, number> {
  const kinds: Record<string, number> = {}
  for (const { kind } of journal) kinds[kind] = (kinds[kind] ?? 0) + 1
  return kinds
}
