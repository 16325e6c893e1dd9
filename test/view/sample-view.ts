// A view of events of machines, and the rows that it has to have.
import { z } from 'zod'
import type { Connection } from '../../src/broker/connection.ts'
import type { StreamDeclaration } from '../../src/broker/define-stream.ts'
import { defineEvent } from '../../src/event/contract.ts'
import { createRegistry } from '../../src/event/registry.ts'
import { defineView } from '../../src/view/define-view.ts'
import type { ViewOptions } from '../../src/view/view-options.ts'
import { ViewReader } from '../../src/view/view-reader.ts'
import { viewProcessor } from '../../src/view/view-processor.ts'
import { systemClock } from '../../src/time/system-clock.ts'
import { start, type Running } from '../kernel/running.ts'
import { partitionsOf } from '../../src/kernel/processor.ts'

export const Measured = defineEvent('machine.measured', {
  data: z.object({ machine: z.string(), value: z.number() }),
  key: (data) => data.machine,
})
export const Removed = defineEvent('machine.removed', {
  data: z.object({ machine: z.string() }),
  key: (data) => data.machine,
})
/** How long to wait for what must come. */
export const PATIENT = { timeout: '60s' } as const
export const registry = createRegistry([Measured, Removed])

export interface Row {
  readonly count: number
  readonly sum: number
  /** Depends on the order, and on each event being there once. */
  readonly trail: number
}

export const EVENTS = [Measured, Removed] as const
type Options = ViewOptions<Row, typeof EVENTS>

export function machines(stream: string, more: Partial<Options> = {}) {
  return defineView<Row, typeof EVENTS>({
    name: `machines-${stream}`,
    version: 1,
    from: { stream, events: EVENTS },
    fold: (row, event) => (event.type === 'machine.removed' ? null : next(row, event.data.value)),
    to: { bucket: `MACHINES_${stream}` },
    ...more,
  })
}

export function next(row: Row | undefined, value: number): Row {
  if (value < 0) throw new Error('a machine measures no negative values')
  const { count, sum, trail } = row ?? { count: 0, sum: 0, trail: 7 }
  return { count: count + 1, sum: sum + value, trail: (Math.imul(trail, 31) + value) >>> 0 }
}

/** A course of events that follows from a seed. */
export function course(count: number, seed = 1, keys = 20) {
  let state = seed
  const below = (limit: number): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 2 ** 32) * limit)
  }
  return Array.from({ length: count }, () => {
    const machine = `m/${below(keys)} ü`
    return below(20) === 0 ? Removed({ machine }) : Measured({ machine, value: below(100) })
  })
}

/** What the rows have to be after a course. */
export function expected(events: ReturnType<typeof course>): Record<string, Row> {
  const rows = new Map<string, Row>()
  for (const { type, data } of events)
    if (type === 'machine.removed') rows.delete(data.machine)
    else rows.set(data.machine, next(rows.get(data.machine), (data as { value: number }).value))
  return sorted(rows)
}

export function sorted(rows: Iterable<readonly [string, Row]>): Record<string, Row> {
  return Object.fromEntries([...rows].sort(([one], [other]) => (one < other ? -1 : 1)))
}

export async function rowsOf(reader: ViewReader<Row>): Promise<Record<string, Row>> {
  return sorted((await reader.list()).map(({ key, row }) => [key, row] as const))
}

/** Runs every unit of a view in this process. */
export async function runView(
  connection: Connection,
  stream: StreamDeclaration,
  more: Partial<Options> = {},
): Promise<{ readonly reader: ViewReader<Row>; readonly runs: readonly Running[] }> {
  const view = machines(stream.name, more)
  const processor = viewProcessor({ view, stream })
  const runs: Running[] = []
  for (const partition of partitionsOf(processor))
    runs.push(await start(connection, processor, { registry, partition }))
  return { reader: readerOf(connection, stream), runs }
}

export function readerOf(connection: Connection, { name }: Pick<StreamDeclaration, 'name'>): ViewReader<Row> {
  return new ViewReader<Row>(connection, systemClock, machines(name).name)
}

export async function stopAll(runs: readonly Running[]): Promise<void> {
  await Promise.all(runs.map(({ run }) => run.stop()))
}
