import { Publisher } from '../../../src/broker/publisher.ts'
import { isFault } from '../../../src/error/millrace-error.ts'
import { systemClock } from '../../../src/time/system-clock.ts'
import { Placed, type FreshOutbox } from '../outboxes.ts'

export interface Naive {
  stop(): Promise<void>
}

/** Runs one round after the other. */
export function naiveRelay(
  box: FreshOutbox,
  round: (box: FreshOutbox, publish: (data: readonly string[]) => Promise<void>) => Promise<void>,
): Naive {
  const publisher = new Publisher(box.connection, { clock: systemClock })
  const end = new AbortController()
  const publish = async (data: readonly string[]): Promise<void> => {
    for (const text of data) Placed(JSON.parse(text)) // as its contract says
    const subject = `${box.stream.root}.k.order.placed`
    await Promise.all(data.map((text) => publisher.publish({ subject, headers: [], data: Buffer.from(text) })))
  }
  const running = (async () => {
    while (!end.signal.aborted) {
      await round(box, publish).catch((error: unknown) => {
        if (!isFault(error)) throw error // it tries the same again, and again
      })
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
  })()
  return {
    stop: async () => {
      end.abort()
      await running
      publisher.close()
    },
  }
}
