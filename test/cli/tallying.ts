// A deployment that counts the orders of each customer, and what it has to have put out whatever happened meanwhile.
import { appendFile, cp, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import * as assert from 'uvu/assert'
import { connectTo, eventually } from '../support/broker.ts'
import { readAll } from '../support/events.ts'
import { temporaryDirectory } from '../support/nats.ts'
import { cli, deploymentFolder, orderLine, startCli, type CliResult, type CliRun } from './support.ts'

const EVENT = `
export const OrderTallied = defineEvent('order.tallied', {
  data: z.object({ customer, amount: z.number(), count: z.number().int() }),
  key: (data) => data.customer,
})
`

const TALLY = `import { defineKeyed } from 'millrace'
import { z } from 'zod'
import { OrderPlaced, OrderTallied } from '../events.js'

export default defineKeyed({
  name: 'tally',
  version: 1,
  from: { stream: 'SHOP', events: [OrderPlaced] },
  to: { stream: 'SHOP', events: [OrderTallied] },
  state: z.number().int(),
  onEvent(c, { data: { customer, amount } }) {
    c.state = (c.state ?? 0) + 1
    c.emit(OrderTallied({ customer, amount, count: c.state }))
  },
})
`

/** Operators hold what comes within ten minutes. */
const SLOTS = `import { bufferTime, filter, map } from 'rxjs'
import { definePipeline } from 'millrace'
import { OrderFlagged, OrderPlaced } from '../events.js'

export default definePipeline({
  name: 'slow',
  version: 1,
  from: { stream: 'SHOP', events: [OrderPlaced] },
  to: { stream: 'SHOP', events: [OrderFlagged] },
  keyBy: ({ data }) => data.customer,
  recovery: { mode: 'slots', idle: '10m', epoch: '1d' },
  pipeline: (orders$, ctx) =>
    orders$.pipe(
      bufferTime(600_000),
      filter((batch) => batch.length > 0),
      map((batch) => OrderFlagged({ customer: ctx.key, amount: batch.length })),
    ),
})
`

export class Tallying {
  readonly url: string
  #cwd: string
  #sent = 0
  #runs = 0

  private constructor(url: string, cwd: string) {
    this.url = url
    this.#cwd = cwd
  }

  /** Where the commands run. */
  get cwd(): string {
    return this.#cwd
  }

  /** Its streams are applied. @param slots with a pipeline whose state cannot be moved */
  static async on(url: string, { slots = false } = {}): Promise<Tallying> {
    const tallying = new Tallying(url, await deploymentFolder())
    const shop = join(tallying.cwd, 'streams/shop')
    await appendFile(join(shop, 'events.ts'), EVENT)
    await writeFile(join(shop, 'pipelines/tally.ts'), TALLY)
    if (slots) await writeFile(join(shop, 'pipelines/slow.ts'), SLOTS)
    assert.is((await tallying.cli('streams', 'apply')).code, 0)
    return tallying
  }

  cli(...args: string[]): Promise<CliResult> {
    return cli([...args, '-s', this.url], { cwd: this.cwd })
  }

  start(args: readonly string[], env: NodeJS.ProcessEnv = {}): CliRun {
    return startCli([...args, '-s', this.url], { cwd: this.cwd, env })
  }

  /** A process that runs everything, once it does. */
  async run(): Promise<CliRun> {
    const ready = join(this.cwd, `ready-${(this.#runs += 1)}.json`)
    const run = this.start(['run', '--ready-file', ready])
    await Promise.race([
      eventually('it is ready', () => readFile(ready, 'utf8').catch(() => undefined), 30_000),
      run.done.then(({ stderr }) => assert.unreachable(stderr)),
    ])
    return run
  }

  /** As with another release, the commands from now on run in another folder. */
  async declare(partitions: number): Promise<void> {
    const folder = await temporaryDirectory()
    await cp(join(this.cwd, 'streams'), join(folder, 'streams'), { recursive: true })
    this.#cwd = folder
    const file = join(folder, 'streams/shop/stream.ts')
    await writeFile(file, (await readFile(file, 'utf8')).replace(/partitions: \d+/, `partitions: ${partitions}`))
  }

  /** Orders of seven customers; each has an amount of its own. */
  async publish(count: number): Promise<void> {
    const lines = Array.from({ length: count }, () => orderLine((this.#sent += 1), { amount: this.#sent }))
    const input = lines.join('\n')
    const { code, stderr } = await cli(['publish', '--file', '-', '-s', this.url], { cwd: this.cwd, input })
    assert.is(code, 0, stderr)
  }

  /** What the tally says, by customer, in the order of the log. */
  async tallied(): Promise<Map<string, { amount: number; count: number }[]>> {
    const found = new Map<string, { amount: number; count: number }[]>()
    for (const { data } of await readAll(await connectTo(this.url), 'SHOP', ['shop.*.order.tallied'])) {
      const { customer, ...rest } = JSON.parse(Buffer.from(data).toString()) as { customer: string } & Tally
      found.set(customer, [...(found.get(customer) ?? []), rest])
    }
    return found
  }

  /** Resolves when every order is counted; fails when one is counted twice, or in the wrong order. */
  async verify(): Promise<void> {
    const all = await eventually(
      `${this.#sent} are counted`,
      async () => {
        const now = await this.tallied()
        return [...now.values()].flat().length >= this.#sent ? now : undefined
      },
      30_000,
    )
    const expected = new Map<string, Tally[]>()
    for (let amount = 1; amount <= this.#sent; amount++) {
      const before = expected.get(`c${amount % 7}`) ?? []
      expected.set(`c${amount % 7}`, [...before, { amount, count: before.length + 1 }])
    }
    for (const [customer, tallies] of expected) assert.equal(all.get(customer), tallies)
  }
}

interface Tally {
  amount: number
  count: number
}
