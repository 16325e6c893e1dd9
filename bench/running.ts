import type { Connection } from '../src/broker/connection.ts'
import { unitId, WHOLE, type Processor } from '../src/kernel/processor.ts'
import { ProcessorRun } from '../src/kernel/run-processor.ts'
import { silentLog } from '../src/observe/log.ts'
import { systemClock } from '../src/time/system-clock.ts'
import { registry } from './payments.ts'

/** Starts the whole of a processor as one unit. */
export function startWhole(connection: Connection, processor: Processor): Promise<ProcessorRun> {
  return ProcessorRun.start(processor, {
    connection,
    registry,
    clock: systemClock,
    log: silentLog,
    owner: 'bench',
    onFailure: (error) => {
      throw error
    },
  })
}

/** Runs a processor until `turns` turns are committed, stops it and removes its consumer. */
export async function runUntil(connection: Connection, processor: Processor, turns: number): Promise<void> {
  const run = await startWhole(connection, processor)
  while (run.counts.turns < turns) await new Promise((resolve) => setTimeout(resolve, 2))
  await run.stop()
  await connection.manager.consumers.delete(processor.from.stream.name, unitId(processor, WHOLE))
}
