// Replays for tests: into memory, and with a clock whose sleeps take no time.
import { z } from 'zod'
import type { StoredMessage } from '../../src/broker/stored-message.ts'
import { defineEvent } from '../../src/event/contract.ts'
import { ndjsonSink } from '../../src/replay/ndjson-sink.ts'
import { replay, type ReplayOptions, type ReplayResult } from '../../src/replay/replay.ts'
import type { Sink } from '../../src/replay/sink.ts'
import type { Clock } from '../../src/time/clock.ts'
import { systemClock } from '../../src/time/system-clock.ts'
import { sharedConnection } from './broker.ts'

export const Paid = defineEvent('order.paid', {
  data: z.object({ order: z.string(), amount: z.number() }),
  key: (d) => d.order,
})
export const Sent = defineEvent('order.sent', { data: z.object({ order: z.string() }), key: (d) => d.order })

export type LineOptions = Partial<ReplayOptions> & Pick<ReplayOptions, 'stream'>

/** Replays into NDJSON in memory, from the first message unless told otherwise. */
export async function replayLines(options: LineOptions): Promise<{
  readonly result: ReplayResult
  readonly lines: readonly Record<string, unknown>[]
  readonly text: string
}> {
  let text = ''
  const sink = ndjsonSink({ stream: options.stream, write: (chunk) => void (text += chunk) })
  const result = await replay({
    connection: await sharedConnection(),
    clock: systemClock,
    from: { kind: 'sequence', sequence: 1 },
    sink,
    ...options,
  })
  const lines =
    text === ''
      ? []
      : text
          .trimEnd()
          .split('\n')
          .map((line) => JSON.parse(line) as Record<string, unknown>)
  return { result, lines, text }
}

/** A sink that keeps what it took. */
export function memorySink(
  take: (messages: readonly StoredMessage[]) => void | Promise<void> = () => undefined,
): Sink & { readonly sequences: number[]; ended: number } {
  const sequences: number[] = []
  return {
    rejected: 0,
    sequences,
    ended: 0,
    take(messages) {
      sequences.push(...messages.map(({ sequence }) => sequence))
      return take(messages)
    },
    end() {
      this.ended += 1
    },
  }
}

/** A clock that sleeps in no time and keeps account of it; the timers of the broker run on the machine’s clock. */
export function sleepingClock(): Clock & { readonly slept: number[] } {
  const slept: number[] = []
  let now = 0
  return {
    ...systemClock,
    slept,
    monotonic: () => now,
    sleep: async (ms, signal) => {
      signal?.throwIfAborted()
      slept.push(ms)
      now += ms
    },
  }
}
