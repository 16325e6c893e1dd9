// The judge of the soak of delivery can tell: what handlers usually do wrong is found. A process that ends is one whose
// connection breaks, while its handler goes on.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { FOR_EVER, judgeDelivery, type DeliveryVerdict, type Published } from '../../soak/delivery/judge.ts'
import type { Effect } from '../../soak/delivery/ledger.ts'
import { fixed } from '../../src/delivery/backoff.ts'
import { defineHandler } from '../../src/delivery/define-handler.ts'
import type { HandlerContext } from '../../src/delivery/handler-context.ts'
import type { HandlerOptions } from '../../src/delivery/handler-options.ts'
import type { HandlerRun } from '../../src/delivery/handler-run.ts'
import { retry } from '../../src/delivery/recovery.ts'
import type { StoredEvent } from '../../src/event/event.ts'
import { connectTo, eventually, sharedConnection } from '../support/broker.ts'
import { sharedServer } from '../support/nats.ts'
import { ask, Asked, consumerOf, inWork, letters, place, work, type Place } from './running-handlers.ts'

const test = suite('broken handlers')

const COUNT = 60
/** Of each ten: one fails once, one always. */
const failing = (n: number): number => (n % 10 === 3 ? 1 : n % 10 === 7 ? FOR_EVER : 0)
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

/** One process: what it has in memory ends with it. */
interface Life {
  readonly number: number
  /** It is not ended in the middle of things. */
  readonly last: boolean
  readonly over: AbortSignal
  /** Runs of its handler. */
  begun: number
}

type Middle = (life: Life, run: HandlerRun) => boolean

type Act = (event: StoredEvent<string, { n: number; key: string }>, life: Life, context: HandlerContext) => unknown

class World {
  readonly effects: Effect[] = []
  readonly act: Act
  readonly options: Partial<HandlerOptions<readonly [typeof Asked]>>

  constructor(make: (effect: (n: number, key: string, life: Life) => void) => Act, options: World['options'] = {}) {
    this.act = make((n, key, { number, over }) => {
      if (over.aborted) return // it is dead
      this.effects.push({ handler: 'broken', id: String(n), key, n, at: Date.now(), pid: number, exact: true })
    })
    this.options = options
  }

  /**
   * Three processes one after the other, of which two end in the middle of things.
   * @param middle whether one has enough behind it. Default: more runs than go on at a time, so that some have ended
   */
  async run(middle: Middle = ({ begun }) => begun > 11): Promise<DeliveryVerdict> {
    const connection = await sharedConnection()
    const at = await place(connection)
    for (let number = 0; number < 3; number++) {
      const own = await connectTo((await sharedServer()).url)
      const ended = new AbortController()
      const life = { number, last: number === 2, over: ended.signal, begun: 0 }
      const { run } = await work(own, at, this.#handler(at, life), { stopGraceMs: 100 })
      await ask(connection, at, COUNT / 3, { from: (number * COUNT) / 3 })
      if (life.last) break
      // however slow the machine is
      await eventually('in the middle', () => middle(life, run))
      ended.abort()
      await own.close()
    }
    await eventually('nothing is left', async () => {
      const { num_pending, num_ack_pending } = await consumerOf(connection, at.stream.name, 'handler-broken')
      return num_pending + num_ack_pending + (await inWork(connection, at)) === 0 || undefined
    })
    await pause(200)
    return judgeDelivery({
      published: Array.from({ length: COUNT }, (_, n) => published(n)),
      effects: this.effects,
      letters: (await letters(connection, at)).map(({ data, code = '' }, number) => {
        const { n } = JSON.parse(Buffer.from(data).toString()) as { n: number }
        return { id: String(n), handler: 'broken', number, generation: 0, code, state: 'open' as const }
      }),
      parked: [],
      ordered: [],
      disturbed: () => true,
    })
  }

  #handler({ stream }: Place, life: Life) {
    return defineHandler({
      name: 'broken',
      on: { stream: stream.name, events: [Asked] },
      ackWait: 800,
      concurrency: 8,
      recovery: retry({ attempts: 3, immediate: 0, backoff: fixed(60) }),
      ...this.options,
      handle: (event: StoredEvent<string, { n: number; key: string }>, context: HandlerContext) => {
        life.begun += 1
        return this.act(event, life, context) as undefined
      },
    } as Parameters<typeof defineHandler>[0])
  }
}

function published(n: number): Published {
  const data = { n, key: `k${n % 7}`, fails: failing(n), how: 'throw' as const, heals: false }
  return { id: String(n), handler: 'broken', data }
}

function harm({ lost, doubled, both, different, outOfOrder }: DeliveryVerdict) {
  return { lost, doubled, both, different, outOfOrder }
}

const NONE = { lost: 0, doubled: 0, both: 0, different: 0, outOfOrder: 0 }

/** Fails when it has to. */
function tried({ data: { n } }: Parameters<Act>[0], { attempt }: HandlerContext): void {
  if (attempt <= failing(n)) throw new Error('not now')
}

/** The receiver of effects tells them apart by their keys, as it should. */
function once(effect: (n: number, key: string, life: Life) => void) {
  const seen = new Set<string>()
  return (idempotencyKey: string, n: number, key: string, life: Life): void => {
    if (life.over.aborted || seen.has(idempotencyKey)) return
    seen.add(idempotencyKey)
    effect(n, key, life)
  }
}

test('nothing is said against what is not broken, though its processes end in the middle', async () => {
  const world = new World((effect) => {
    const known = once(effect)
    return async (event, life, context) => {
      await pause(20)
      tried(event, context)
      known(context.idempotencyKey, event.data.n, event.data.key, life)
      await pause(20)
    }
  })
  const verdict = await world.run()
  assert.equal(harm(verdict), NONE, verdict.examples.join('\n'))
  assert.is(verdict.effects + verdict.dead, COUNT)
  assert.ok(verdict.dead > 0)
})

test('ack before the effect: what was acknowledged and never done is found', async () => {
  const world = new World((effect) => (event, life, context) => {
    tried(event, context)
    // the first processes end before that
    const late = (): void => effect(event.data.n, event.data.key, life)
    if (life.last) late()
    else life.over.addEventListener('abort', late)
  })
  assert.ok(harm(await world.run((_, run) => run.acknowledged.confirmed > 0)).lost > 0)
})

test('no inbox and no idempotency key: effects that were made twice are found', async () => {
  const world = new World((effect) => async (event, life, context) => {
    tried(event, context)
    effect(event.data.n, event.data.key, life)
    // the first processes end before it is acknowledged
    if (!life.last) await new Promise((resolve) => life.over.addEventListener('abort', resolve))
  })
  assert.ok(harm(await world.run(({ begun }) => begun > 3)).doubled > 0)
})

test('retry in memory, not stored before the ack: what waited for it in a process that ended is found', async () => {
  const world = new World((effect) => {
    const known = once(effect)
    const attempt = (event: Parameters<Act>[0], life: Life, context: HandlerContext, nth: number): void => {
      if (nth <= failing(event.data.n)) {
        if (nth < 3) setTimeout(() => attempt(event, life, context, nth + 1), 60)
      } else known(context.idempotencyKey, event.data.n, event.data.key, life)
    }
    return (event, life, context) => attempt(event, life, context, 1)
  })
  assert.ok(harm(await world.run()).lost > 0)
})

test('a letter and an effect of the same event, and an effect of what can never be done, are found', () => {
  const effect = { handler: 'broken', id: '7', key: 'k0', n: 7, at: 1, pid: 1, exact: true }
  const letter = { id: '7', handler: 'broken', number: 1, generation: 0, code: 'X', state: 'open' as const }
  const verdict = judgeDelivery({
    published: [published(7)],
    effects: [effect],
    letters: [letter],
    parked: [],
    ordered: [],
    disturbed: () => false,
  })
  assert.equal(harm(verdict), { ...NONE, both: 1, different: 1 })
})

test('an effect of a key before that of an earlier event, and one past a parked event, are found', () => {
  const of = (n: number) => ({ handler: 'broken', id: String(n), key: 'k0', n, at: n, pid: 1, exact: true })
  const events = [0, 14, 28].map((n) => ({ ...published(n), data: { ...published(n).data, key: 'k0' } }))
  const base = { published: events, letters: [], ordered: ['broken'], disturbed: () => false }
  assert.is(judgeDelivery({ ...base, effects: [of(0), of(28), of(14)], parked: [] }).outOfOrder, 1)
  const parked = [{ handler: 'broken', key: 'k0' }]
  assert.is(judgeDelivery({ ...base, effects: [of(0), of(28)], parked }).outOfOrder, 1)
})

test.run()
