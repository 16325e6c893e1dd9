// The pipelines that the benches run.
import { bufferTime, filter, map } from 'rxjs'
import { z } from 'zod'
import { defineKeyed } from '../src/pipeline/define-keyed.ts'
import { definePipeline } from '../src/pipeline/define-pipeline.ts'
import type { DeclaredPipeline } from '../src/pipeline/declared-pipeline.ts'
import { Large, Paid } from './payments.ts'

/** A card of 10,000 has a payment each 20 s, so nearly every window has one: the worst case for all that keep windows. */
export const WINDOW_MS = 1_000
/** Event time between two payments, of all cards. */
export const SPACING_MS = 2

export function stateless(name: string, from: string, to: string, limit: number): DeclaredPipeline {
  return definePipeline({
    name,
    version: 1,
    from: { stream: from, events: [Paid] },
    to: { stream: to, events: [Large], packed: true },
    recovery: { mode: 'stateless' },
    pipeline: (paid$) =>
      paid$.pipe(
        filter(({ data }) => data.amount > limit),
        map(({ data }) => Large({ cardId: data.cardId, amount: data.amount })),
      ),
  })
}

export function keyedWindow(name: string, from: string, to: string): DeclaredPipeline {
  return defineKeyed({
    name,
    version: 1,
    from: { stream: from, events: [Paid] },
    to: { stream: to, events: [Large], packed: true },
    time: { of: ({ time }) => time, lateness: 0 },
    state: z.object({ sum: z.number() }),
    onEvent(c, { data }) {
      if (c.state === undefined) c.timer('end', (Math.floor(c.now / WINDOW_MS) + 1) * WINDOW_MS)
      c.state = { sum: (c.state?.sum ?? 0) + data.amount }
    },
    onTimer(c) {
      c.emit(Large({ cardId: c.key, amount: c.state?.sum ?? 0 }))
      c.clear()
    },
  })
}

export function slots(name: string, from: string, to: string): DeclaredPipeline {
  return definePipeline({
    name,
    version: 1,
    from: { stream: from, events: [Paid] },
    to: { stream: to, events: [Large], packed: true },
    // a key that was silent for a window has nothing in its buffer
    recovery: { mode: 'slots', idle: WINDOW_MS },
    time: { of: ({ time }) => time, lateness: 0 },
    pipeline: (paid$) =>
      paid$.pipe(
        bufferTime(WINDOW_MS),
        filter((paid) => paid.length > 0),
        map((paid) =>
          Large({
            cardId: paid[0]?.data.cardId ?? '',
            amount: paid.reduce((sum, { data }) => sum + data.amount, 0),
          }),
        ),
      ),
  })
}
