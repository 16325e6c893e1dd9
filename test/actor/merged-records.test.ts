// What actors have decided as one of several inputs of a pipeline.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { z } from 'zod'
import { defineStream } from '../../src/broker/define-stream.ts'
import { defineEvent } from '../../src/event/contract.ts'
import { decodeEvent } from '../../src/event/decode-event.ts'
import { storedFilter } from '../../src/event/subject.ts'
import { defineKeyed } from '../../src/pipeline/define-keyed.ts'
import { eventually, sharedConnection } from '../support/broker.ts'
import { publishAll, readAll } from '../support/events.ts'
import { deploy, tellAll, work } from './running-actors.ts'
import { account, Deposit, Deposited, DepositMany, Withdraw, Withdrawn } from './sample-actors.ts'

const test = suite('records among several inputs')

const key = (data: { accountId: string }): string => data.accountId
const Visited = defineEvent('visited', { data: z.object({ accountId: z.string(), n: z.int() }), key })
const Seen = defineEvent('seen', {
  data: z.object({ accountId: z.string(), balance: z.int(), visits: z.array(z.int()), entries: z.int() }),
  key,
})

test('M1 M3 a pipeline over an actor’s records and another stream meets every event of both once, each in its order', async () => {
  const connection = await sharedConnection()
  const name = `V${process.pid}`
  // another number of partitions: the merge has the two in which both agree
  const visits = defineStream({ name, root: name.toLowerCase(), partitions: 2 })
  const deployment = await deploy(connection, [account], {
    contracts: [Visited, Seen],
    others: [visits],
    pipelines: (stream) => [
      defineKeyed({
        name: `seen-${process.pid}`,
        version: 1,
        from: [
          { stream, events: [Deposited, Withdrawn] },
          { stream: name, events: [Visited] },
        ],
        to: { stream: name, events: [Seen] },
        state: z.object({ balance: z.int(), visits: z.array(z.int()), entries: z.int() }),
        init: () => ({ balance: 0, visits: [] as number[], entries: 0 }),
        onEvent(context, { type, data }) {
          const { balance, visits: before, entries } = context.state
          const { accountId, amount = 0, n = -1 } = data as { accountId: string; amount?: number; n?: number }
          context.state =
            type === Visited.type
              ? { balance, visits: [...before, n], entries }
              : {
                  balance: balance + (type === Deposited.type ? amount : -amount),
                  visits: before,
                  entries: entries + 1,
                }
          if (type === Visited.type) context.emit(Seen({ accountId, ...context.state }))
        },
      }),
    ],
  })
  const ids = Array.from({ length: 20 }, (_, at) => `k${at}`)
  let runtime = await work(connection, deployment)
  const step = async (n: number): Promise<void> => {
    await tellAll(
      connection,
      deployment,
      ids.flatMap((accountId) => [
        Deposit({ accountId, amount: 10 }),
        DepositMany({ accountId, count: 3, amount: 2 }),
        Withdraw({ accountId, amount: 4 }),
        Withdraw({ accountId, amount: 1_000 }),
      ]),
    )
    await publishAll(
      connection,
      visits,
      ids.map((accountId) => Visited({ accountId, n })),
    )
  }
  for (let n = 0; n < 3; n++) {
    await step(n)
    // and goes on from where it was
    if (n === 1) {
      await runtime.stop()
      runtime = await work(connection, deployment, 'two')
    }
  }
  const seen = async () =>
    (await readAll(connection, name, [storedFilter(visits.root, Seen.type)])).map(({ headers, data, ...at }) => {
      const decoded = decodeEvent(deployment.registry, headers, data, { stream: name, ...at })
      if (decoded.kind === 'rejected') throw new Error(decoded.detail)
      return decoded.event.data as { accountId: string; balance: number; visits: number[]; entries: number }
    })
  await eventually('all visits', async () => (await seen()).length >= 3 * ids.length)
  // everything that was decided by then is merged by then
  await eventually('a last look that has all entries', async () => {
    await publishAll(
      connection,
      visits,
      ids.map((accountId) => Visited({ accountId, n: 99 })),
    )
    const last = new Map((await seen()).map((data) => [data.accountId, data]))
    return [...last.values()].every(({ entries }) => entries >= 15)
  })
  await runtime.stop()
  const all = await seen()
  for (const id of ids) {
    const own = all.filter(({ accountId }) => accountId === id)
    const last = own.at(-1)
    assert.equal([last?.balance, last?.entries], [36, 15], id)
    assert.equal(last?.visits.slice(0, 3), [0, 1, 2], id)
    assert.is(own.length, last?.visits.length, 'one for each visit')
  }
})

test.run()
