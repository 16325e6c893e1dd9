import type { Connection } from '../broker/connection.js'
import { messagesBehind } from '../broker/position-consumer.js'
import { subjectsIn } from '../broker/subjects-in.js'
import { outboxRoot } from '../broker/system-subject.js'
import { isFault } from '../error/millrace-error.js'
import { readUnitParking } from '../kernel/parking/parked-unit.js'
import { outboxName } from '../pipeline/outbox-processor.js'
import type { Deployment } from './deployment.js'
import { processorsOf } from './processors.js'

/** Events and commands of one stream for another that nobody of a deployment carries over. */
export interface StrandedOutbox {
  readonly from: string
  readonly to: string
  /** How many wait. */
  readonly waiting: number
}

/**
 * What waits in outboxes that were declared once and are no more: an actor that no longer `sends` to a context, a
 * pipeline that has lost an output. It stays where it is, and goes on when the pair of streams is declared again.
 * @throws errors of the broker
 */
export async function strandedOutboxes(
  connection: Connection,
  deployment: Deployment,
): Promise<readonly StrandedOutbox[]> {
  const known = new Set(processorsOf(deployment).flatMap(({ kind, name }) => (kind === 'outbox' ? [name] : [])))
  const found: StrandedOutbox[] = []
  for (const { name: from } of deployment.streams) {
    const all = await orNothing([], () => subjectsIn(connection, from, `${outboxRoot(from, '*')}.>`))
    const units = new Map(all.map((subject) => [subject.split('.').slice(3, 5).join(' '), subject.split('.')]))
    const waiting = new Map<string, number>()
    for (const [, , , to = '', partition = ''] of units.values()) {
      if (known.has(outboxName(from, to))) continue
      waiting.set(to, (waiting.get(to) ?? 0) + (await behind(connection, from, to, partition)))
    }
    for (const [to, count] of waiting) if (count > 0) found.push({ from, to, waiting: count })
  }
  return found
}

async function behind(connection: Connection, from: string, to: string, partition: string): Promise<number> {
  const unit = { processor: `outbox-${outboxName(from, to)}`, partition, input: from, output: to, merged: false }
  const state = await orNothing(undefined, () => readUnitParking(connection, unit))
  const filters = [`${outboxRoot(from, to)}.${partition}.>`]
  return messagesBehind(connection, { stream: from, filters, after: state?.position ?? 0 })
}

/** A stream that is not there has nothing. */
async function orNothing<T>(nothing: T, read: () => Promise<T>): Promise<T> {
  try {
    return await read()
  } catch (error) {
    if (isFault(error, 'STREAM_NOT_FOUND')) return nothing
    throw error
  }
}
