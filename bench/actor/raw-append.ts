// What one would write by hand: an append for each command, on condition of the aggregate’s last sequence, awaited.
import { jetstream } from '@nats-io/jetstream'
import type { Connection } from '../../src/broker/connection.ts'

let streams = 0

/**
 * Appends `count` events to so many aggregates, one after the other; one each `every` ms, or as fast as they come back.
 * @returns how long each took, in ms
 */
export async function rawAppends(
  connection: Connection,
  count: number,
  aggregates: number,
  every = 0,
): Promise<readonly number[]> {
  const root = `raw${(streams += 1)}`
  await connection.manager.streams.add({ name: root.toUpperCase(), subjects: [`${root}.>`] })
  const js = jetstream(connection.nats)
  const last = new Map<string, number>()
  const took: number[] = []
  const began = performance.now()
  for (let at = 0; at < count; at++) {
    const account = `a${at % aggregates}`
    const early = began + at * every - performance.now()
    if (early > 1) await new Promise((resolve) => setTimeout(resolve, early))
    const data = JSON.stringify({ account, amount: 1 + (at % 9), reference: `r${at}`, currency: 'EUR' })
    const from = performance.now()
    const expect = { lastSubjectSequence: last.get(account) ?? 0 }
    const { seq } = await js.publish(`${root}.account.${account}`, data, { expect })
    took.push(performance.now() - from)
    last.set(account, seq)
  }
  await connection.manager.streams.delete(root.toUpperCase())
  return took
}
