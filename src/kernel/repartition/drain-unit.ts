import type { Clock } from '../../time/clock.js'
import { drainFormer } from '../drain-former.js'
import type { Processor } from '../processor.js'
import type { ProcessorOptions } from '../processor-options.js'
import type { Segment } from '../read-plan.js'
import { ProcessorRun } from '../run-processor.js'

export type DrainOptions = Pick<ProcessorOptions, 'connection' | 'registry' | 'clock' | 'log' | 'owner'> & {
  readonly segments: readonly Segment[]
  /** Ends it where it is; what was handled by then is stored. */
  readonly signal?: AbortSignal | undefined
}

/**
 * Runs a unit that is held until it has handled everything of these segments, and stores that. Time passes only with
 * events: what follows is not known yet, and must find the state that it would have found.
 * @throws what stops the unit, the signal’s reason, and errors of the broker
 */
export async function drainUnit(processor: Processor, partition: string, options: DrainOptions): Promise<void> {
  const { connection, registry, log, owner, segments, signal } = options
  const clock = withoutTime(options.clock)
  let settle: { readonly onEnd: () => void; readonly onFailure: (error: unknown) => void } | undefined
  const ended = new Promise<void>((resolve, reject) => (settle = { onEnd: resolve, onFailure: reject }))
  ended.catch(() => undefined) // told below, unless it could not be started
  const run = await ProcessorRun.start(withoutFormer(processor), {
    connection,
    registry,
    log,
    owner,
    clock,
    partition,
    plan: { segments, onEnd: () => settle?.onEnd() },
    onFailure: (error) => settle?.onFailure(error),
  })
  const onAbort = (): void => settle?.onFailure(signal?.reason)
  signal?.addEventListener('abort', onAbort, { once: true })
  if (signal?.aborted === true) onAbort()
  try {
    await ended
  } finally {
    signal?.removeEventListener('abort', onAbort)
    await run.stop()
  }
}

/**
 * Ends what a unit of memory `replay` that is held still has open, as if its keys were idle.
 * @throws DRAIN_ENDLESS, what stops the unit, and errors of the broker
 */
export async function endSlots(processor: Processor, partition: string, options: DrainOptions): Promise<void> {
  const { segments, signal: _signal, ...rest } = options
  const own = withoutFormer(processor)
  await drainFormer({ ...own, former: own }, { ...rest, partition, plan: { segments }, onFailure: () => undefined })
}

/** Nothing of an earlier version is left where a repartition is let begin. */
function withoutFormer({ former: _former, ...processor }: Processor): Processor {
  return processor
}

/** A clock by which no timer of a pipeline is ever due. */
function withoutTime(clock: Clock): Clock {
  return {
    now: () => 0,
    monotonic: () => clock.monotonic(),
    sleep: (ms, signal) => clock.sleep(ms, signal),
    after: (ms, fn) => clock.after(ms, fn),
    every: (ms, fn) => clock.every(ms, fn),
  }
}
