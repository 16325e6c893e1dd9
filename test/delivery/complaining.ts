// A complaint about other systems as a check, which ours passes and a naive implementation does not.
import * as assert from 'uvu/assert'
import { fixed } from '../../src/delivery/backoff.ts'
import { defineHandler } from '../../src/delivery/define-handler.ts'
import { retry } from '../../src/delivery/recovery.ts'
import type { Implementation } from './naive/naive-loop.ts'
import { Asked, work } from './running-handlers.ts'

/** Ours. */
export const ours: Implementation = async (connection, at, spec) => {
  const { handle, attempts = 3, delay = 100, worker = 16, total = 1_000, ackWait = 2_000 } = spec
  const { run } = await work(
    connection,
    at,
    defineHandler({
      name: 'spec',
      on: { stream: at.stream.name, events: [Asked] },
      concurrency: { worker, total },
      ackWait,
      recovery: retry({ attempts, immediate: 0, backoff: fixed(delay) }),
      handle: async (event, { attempt }) => void (await handle(event.data.n, attempt)),
    }),
  )
  return { stop: () => run.stop() }
}

/**
 * Ours keeps what is asked for, and the naive one does not: else the check would say nothing.
 * @param check is told for how long to wait, in ms: for the naive one there is nothing to wait for
 */
export async function holds(
  check: (by: Implementation, limitMs: number) => Promise<void>,
  mistaken: Implementation,
): Promise<void> {
  await check(ours, 30_000)
  let passed = false
  try {
    await check(mistaken, 2_500)
    passed = true
  } catch {
    // as it should be
  }
  assert.not(passed, 'the naive implementation passes as well')
}
