// Ordered handlers on a real server: every unit of one, in this process.
import type { Connection } from '../../../src/broker/connection.ts'
import type { HandlerDeclaration } from '../../../src/delivery/handler-options.ts'
import { openGate, type Gate } from '../../../src/delivery/gate.ts'
import { orderedProcessor } from '../../../src/delivery/ordered/ordered-processor.ts'
import type { MillraceError } from '../../../src/error/millrace-error.ts'
import { partitionsOf, type Processor } from '../../../src/kernel/processor.ts'
import { ProcessorRun } from '../../../src/kernel/run-processor.ts'
import { silentLog, type Log } from '../../../src/observe/log.ts'
import { systemClock } from '../../../src/time/system-clock.ts'
import { atEnd } from '../../support/cleanup.ts'
import { registry, type Place } from '../running-handlers.ts'

const say: Log['info'] = (...parts) => console.log(...parts)
const LOG: Log =
  process.env['MILLRACE_TEST_LOG'] === undefined ? silentLog : { debug: say, info: say, warn: say, error: say }

export function processorOf(
  { stream, work }: Place,
  declaration: HandlerDeclaration,
  gate: Gate = openGate,
): Processor {
  return orderedProcessor({
    declaration,
    stream,
    work,
    emitsTo: declaration.emits === undefined ? undefined : stream,
    registry,
    ports: { log: LOG, chance: Math.random, open: () => Promise.resolve({ declaration, gate }) },
  })
}

export interface RunningOrdered {
  readonly processor: Processor
  readonly runs: readonly ProcessorRun[]
  readonly failures: MillraceError[]
  stop(): Promise<void>
}

/** Puts all units of an ordered handler to work; they are stopped after the last suite. */
export async function workInOrder(
  connection: Connection,
  at: Place,
  declaration: HandlerDeclaration,
  gate?: Gate,
): Promise<RunningOrdered> {
  const processor = processorOf(at, declaration, gate)
  const failures: MillraceError[] = []
  const options = { connection, registry, clock: systemClock, log: LOG, owner: `test ${process.pid}` }
  const runs = await Promise.all(
    partitionsOf(processor).map((partition) =>
      ProcessorRun.start(processor, { ...options, partition, onFailure: (error) => failures.push(error) }),
    ),
  )
  const stop = async (): Promise<void> => void (await Promise.all(runs.map((run) => run.stop())))
  atEnd(stop)
  return { processor, runs, failures, stop }
}
