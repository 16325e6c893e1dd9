// A processor that parks keys, on a real server: what it has put out, parked and left behind.
import { ProcessorRun } from '../../../src/kernel/run-processor.ts'
import type { Connection } from '../../../src/broker/connection.ts'
import type { StreamDeclaration } from '../../../src/broker/define-stream.ts'
import { parkSubject } from '../../../src/broker/system-subject.ts'
import type { MillraceError } from '../../../src/error/millrace-error.ts'
import { storedFilter } from '../../../src/event/subject.ts'
import { readParked } from '../../../src/kernel/parking/park-message.ts'
import { parkedUnit, readUnitParking, type ParkedUnit } from '../../../src/kernel/parking/parked-unit.ts'
import { redriveKey, type RedriveOptions, type RedriveOutcome } from '../../../src/kernel/parking/redrive-key.ts'
import { processorId, WHOLE, type Processor } from '../../../src/kernel/processor.ts'
import { silentLog } from '../../../src/observe/log.ts'
import { systemClock } from '../../../src/time/system-clock.ts'
import { connectTo, eventually } from '../../support/broker.ts'
import { readAll } from '../../support/events.ts'
import { Alarm, registry } from '../../support/kill-fixture.ts'
import { sharedServer } from '../../support/nats.ts'
import { effectOf } from './tally.ts'

export interface Started {
  readonly run: ProcessorRun
  readonly connection: Connection
  readonly failures: MillraceError[]
  /** As a SIGKILL does: nothing more arrives at the server, nothing is said. */
  crash(): Promise<void>
}

/** A unit with a connection of its own. */
export async function startUnit(processor: Processor, partition = WHOLE): Promise<Started> {
  const connection = await connectTo((await sharedServer()).url)
  const failures: MillraceError[] = []
  const owner = `test-${Math.random()}`
  const onFailure = (error: MillraceError): void => void failures.push(error)
  const clock = systemClock
  const options = { connection, registry, clock, log: silentLog, owner, partition, onFailure }
  const run = await ProcessorRun.start(processor, options)
  return { run, connection, failures, crash: () => connection.close() }
}

/** Numbers of the events that led to an output, in the order in which those are stored. */
export async function numbersOf(
  connection: Connection,
  { name, root }: StreamDeclaration,
  machine: string,
): Promise<number[]> {
  const messages = await readAll(connection, name, [storedFilter(root, Alarm.type)])
  return messages
    .map(({ data }) => effectOf(data))
    .filter((effect) => effect.machine === machine)
    .map(({ number }) => number)
}

export function unitOf(processor: Processor, partition = WHOLE): ParkedUnit {
  return parkedUnit(processor, partition)
}

/** Waits until a key has so many numbers in its park. */
export function untilParked(connection: Connection, unit: ParkedUnit, key: string, diverted: number) {
  return eventually(`${diverted} events of ${key} in the park`, async () => {
    const parking = await readUnitParking(connection, unit)
    return parking?.parked.find((entry) => entry.key === key && entry.diverted >= diverted)
  })
}

export async function untilPosition(connection: Connection, unit: ParkedUnit, position: number): Promise<void> {
  await eventually(`position ${position}`, async () => {
    const parking = await readUnitParking(connection, unit)
    return parking !== undefined && parking.position >= position
  })
}

export function redrive(
  connection: Connection,
  unit: ParkedUnit,
  key: string,
  options: Partial<RedriveOptions> = {},
): Promise<RedriveOutcome> {
  return redriveKey(connection, unit, key, { clock: systemClock, ...options })
}

/** How many events all parks of a processor hold. */
export async function inParks(connection: Connection, { to, ...processor }: Processor, partition = WHOLE) {
  const filter = parkSubject(to.stream.name, processorId(processor), partition, '>')
  return (await readAll(connection, to.stream.name, [filter])).filter(({ headers }) => readParked(headers)).length
}
