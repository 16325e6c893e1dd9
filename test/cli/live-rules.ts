// A deployment whose rule flags every order, so that what each order met can be read from what came out.
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import * as assert from 'uvu/assert'
import { z } from 'zod'
import { defineStream } from '../../src/broker/define-stream.ts'
import { defineEvent } from '../../src/event/contract.ts'
import { connectTo, eventually } from '../support/broker.ts'
import { publishAll, readAll } from '../support/events.ts'
import { cli, deploymentFolder, jsonOf, startCli, type CliResult, type CliRun } from './support.ts'

const OrderPlaced = defineEvent('order.placed', {
  version: 2,
  data: z.object({ customer: z.string(), amount: z.number(), currency: z.string() }),
  upcasters: { 1: (data) => data },
  key: (data) => data.customer,
})
const stream = defineStream({ name: 'SHOP', root: 'shop', partitions: 4 })

/** A rule that flags each order; the comment makes it another text of the same shape. */
export function eachRule(comment: string): string {
  return `# ${comment}
rule: each
on: SHOP
key: data.customer
sequence:
  - order: { event: order.placed }
within: 1m
emit: { event: order.flagged, data: { customer: key, amount: order.data.amount } }
`
}

/** What an order met. */
export interface Flag {
  readonly amount: number
  readonly revision: number
}

export class LiveRules {
  readonly url: string
  readonly cwd: string
  #sent = 0
  #runs = 0

  private constructor(url: string, cwd: string) {
    this.url = url
    this.cwd = cwd
  }

  static async on(url: string): Promise<LiveRules> {
    const world = new LiveRules(url, await deploymentFolder())
    await writeFile(join(world.cwd, 'streams/shop/rules/each.yaml'), eachRule('first'))
    assert.is((await world.cli('streams', 'apply')).code, 0)
    return world
  }

  get sent(): number {
    return this.#sent
  }

  cli(...args: string[]): Promise<CliResult> {
    return cli([...args, '-s', this.url], { cwd: this.cwd })
  }

  /** A command that changes a rule, when that has taken effect. */
  change(...args: string[]): Promise<CliResult> {
    return this.cli('rules', ...args, '--wait', '60s')
  }

  /** Resolves when so many orders were handled, whatever became of them. */
  passed(count: number): Promise<true> {
    return eventually(`${count} are handled`, async () => {
      const { processors } = jsonOf((await this.cli('status', '--json')).stdout) as {
        processors: Record<string, any>[]
      }
      return processors.find(({ processor }) => processor === 'rules-SHOP')?.['turns'] >= count || undefined
    })
  }

  async write(name: string, text: string): Promise<string> {
    await writeFile(join(this.cwd, name), text)
    return name
  }

  /** A process that runs only the rules. */
  async run(...more: string[]): Promise<CliRun> {
    const ready = join(this.cwd, `ready-${(this.#runs += 1)}.json`)
    const run = startCli(['run', '--ready-file', ready, ...more, '-s', this.url], { cwd: this.cwd })
    await Promise.race([
      eventually('it is ready', () => readFile(ready, 'utf8').catch(() => undefined), 30_000),
      run.done.then(({ stderr }) => assert.unreachable(stderr)),
    ])
    return run
  }

  /** Orders with the amounts 1, 2, 3 and so on, in the order of the log. */
  async publish(count: number): Promise<void> {
    const drafts = Array.from({ length: count }, () =>
      OrderPlaced({ customer: `c${(this.#sent += 1) % 3}`, amount: this.#sent, currency: 'EUR' }),
    )
    await publishAll(await connectTo(this.url), stream, drafts)
  }

  /** What came out, in the order of the log. */
  async flags(): Promise<Flag[]> {
    const messages = await readAll(await connectTo(this.url), 'SHOP', [
      'shop.*.order.flagged',
      'shop.*.*.order.flagged',
    ])
    return messages
      .filter(({ headers }) => headers.get('ce-source') === '/millrace/rules/each')
      .map(({ headers, data }) => ({
        amount: (JSON.parse(Buffer.from(data).toString()) as { amount: number }).amount,
        revision: Number(headers.get('ce-rulerevision')),
      }))
  }

  /** Resolves with the flags when there are so many. */
  flagged(count: number): Promise<Flag[]> {
    return eventually(
      `${count} are flagged`,
      async () => {
        const flags = await this.flags()
        return flags.length >= count ? flags : undefined
      },
      40_000,
    )
  }
}
