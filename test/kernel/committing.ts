// A committer on a real server, fed with turns that a test makes up.
import type { Connection } from '../../src/broker/connection.ts'
import type { StreamDeclaration } from '../../src/broker/define-stream.ts'
import { readLast } from '../../src/broker/last-message.ts'
import { commitSubject } from '../../src/broker/system-subject.ts'
import type { MillraceError } from '../../src/error/millrace-error.ts'
import { storedFilter } from '../../src/event/subject.ts'
import { claim } from '../../src/kernel/claim.ts'
import { decodeCommitRecord, type CommitRecord } from '../../src/kernel/commit-record.ts'
import { Committer } from '../../src/kernel/committer.ts'
import type { CommitterOptions } from '../../src/kernel/committer-options.ts'
import type { Processor } from '../../src/kernel/processor.ts'
import type { Turn } from '../../src/kernel/turn.ts'
import { systemClock } from '../../src/time/system-clock.ts'
import { readAll } from '../support/events.ts'
import { outputMessage, textOf, turnOf } from './messages.ts'

export function madeUp(stream: StreamDeclaration): Processor {
  const start = (): never => {
    throw new Error('these tests make their turns themselves')
  }
  return { kind: 'pipeline', name: 'p', version: '1', from: { stream }, to: { stream }, memory: 'none', start }
}

export interface Committing {
  readonly committer: Committer
  /** Sequences of the turns that were reported as committed, in order. */
  readonly committed: number[]
  readonly failures: MillraceError[]
}

/** Claims the processor and starts its committer. */
export async function committing(
  connection: Connection,
  stream: StreamDeclaration,
  owner: string,
  snapshot?: () => unknown,
  more: Partial<CommitterOptions> = {},
): Promise<Committing> {
  const committed: number[] = []
  const failures: MillraceError[] = []
  const committer = new Committer({
    connection,
    clock: systemClock,
    claim: await claim(connection, madeUp(stream), 'all', owner),
    input: stream.name,
    output: stream.name,
    memory: snapshot === undefined ? 'none' : 'snapshot',
    snapshot: () => snapshot?.(),
    onCommitted: (turns) => committed.push(...turns.map(({ sequence }) => sequence)),
    onFailure: (error) => failures.push(error),
    ...more,
  })
  return { committer, committed, failures }
}

/** Turns with the sequences `from + 1` to `from + count` and `outputs` outputs each. */
export function turns(
  stream: StreamDeclaration,
  count: number,
  from = 0,
  outputs = 2,
  fields: Partial<Turn> = {},
): Turn[] {
  return Array.from({ length: count }, (_, i) => {
    const sequence = from + i + 1
    const made = Array.from({ length: outputs }, (_, at) => outputMessage(`${sequence}-${at}`, `${stream.root}.k.made`))
    return turnOf(sequence, 0, { outputs: made, ...fields })
  })
}

export function textsOf(all: readonly Turn[]): string[] {
  return all.flatMap(({ outputs }) => outputs.map(textOf))
}

/** The outputs that a stream holds, in order. */
export async function made(connection: Connection, stream: StreamDeclaration): Promise<string[]> {
  return (await readAll(connection, stream.name, [storedFilter(stream.root, 'made')])).map(textOf)
}

export async function storedRecord(
  connection: Connection,
  stream: StreamDeclaration,
  processor = 'pipeline-p',
): Promise<CommitRecord | undefined> {
  const subject = commitSubject(stream.name, processor, 'all')
  const last = await readLast(connection, stream.name, subject)
  return last === undefined ? undefined : decodeCommitRecord(last.data, subject)
}
