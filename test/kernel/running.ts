// Processors on a real server: started, crashed, and what is left of them.
import * as assert from 'uvu/assert'
import type { Connection } from '../../src/broker/connection.ts'
import type { StreamDeclaration } from '../../src/broker/define-stream.ts'
import { isFault, type MillraceError } from '../../src/error/millrace-error.ts'
import { storedFilter } from '../../src/event/subject.ts'
import type { Processor } from '../../src/kernel/processor.ts'
import type { ProcessorOptions } from '../../src/kernel/processor-options.ts'
import { ProcessorRun } from '../../src/kernel/run-processor.ts'
import { silentLog } from '../../src/observe/log.ts'
import { systemClock } from '../../src/time/system-clock.ts'
import { connectTo, eventually } from '../support/broker.ts'
import { readAll } from '../support/events.ts'
import { registry } from '../support/kill-fixture.ts'
import { sharedServer } from '../support/nats.ts'

export interface Running {
  readonly run: ProcessorRun
  readonly failures: MillraceError[]
}

export async function start(
  connection: Connection,
  processor: Processor,
  more: Partial<ProcessorOptions> = {},
): Promise<Running> {
  const failures: MillraceError[] = []
  const onFailure = (error: MillraceError): void => void failures.push(error)
  const usual = { connection, registry, clock: systemClock, log: silentLog, owner: `test-${Math.random()}`, onFailure }
  return { run: await ProcessorRun.start(processor, { ...usual, ...more }), failures }
}

/** What a processor that cannot go on ends with, whether it says so when it starts or soon after. */
export async function failure(connection: Connection, processor: Processor): Promise<MillraceError> {
  try {
    const { run, failures } = await start(connection, processor)
    const error = await eventually('a failure', () => failures[0])
    assert.is(run.state.kind, 'failed')
    return error
  } catch (error) {
    if (isFault(error)) return error
    throw error
  }
}

/** Runs a processor until `turns` turns are committed, and takes its connection away, so that it stores no snapshot. */
export async function runAndCrash(processor: Processor, turns: number): Promise<void> {
  const connection = await connectTo((await sharedServer()).url)
  const { run } = await start(connection, processor)
  await eventually('committed', () => run.counts.turns === turns)
  await connection.close()
}

/** Ids and data of the events of one type that a stream holds, in order. */
export async function stored(connection: Connection, stream: StreamDeclaration, type: string) {
  const messages = await readAll(connection, stream.name, [storedFilter(stream.root, type)])
  return messages.map(({ headers, data }) => ({
    id: headers.get('ce-id'),
    data: JSON.parse(Buffer.from(data).toString()) as Record<string, unknown>,
  }))
}
