// Durable operators at work outside of a pipeline, and pipelines in mode checkpoint for tests.
import { map, Subject, type Observable, type OperatorFunction } from 'rxjs'
import { isFault, type MillraceError } from '../../../src/error/millrace-error.ts'
import type { EventDraft, StoredEvent } from '../../../src/event/event.ts'
import type { Logic, Memory } from '../../../src/kernel/processor.ts'
import { checkpointLogic, type CheckpointOptions } from '../../../src/pipeline/checkpoint-logic.ts'
import { definePipeline, type PipelineDeclaration } from '../../../src/pipeline/define-pipeline.ts'
import { DurableOps } from '../../../src/pipeline/ops/durable-ops.ts'
import { schedulerTimers } from '../../../src/pipeline/ops/durable-timer.ts'
import type { PipelineContext } from '../../../src/pipeline/pipeline-context.ts'
import { runIn } from '../../../src/time/ambient.ts'
import { EventTimeScheduler } from '../../../src/time/event-time-scheduler.ts'
import { In, Out } from '../keyed/declared.ts'

/** What is laid out when somebody looks, as it is then. */
export function laidOut<T>(value: T): T {
  const lazy = value as { toJSON?: () => T } | undefined
  return lazy?.toJSON === undefined ? value : lazy.toJSON()
}

/** What comes out of an operator that is given values at times, until long after the last one. Out: [time, value]. */
export function at<T, R>(
  make: (ops: DurableOps) => OperatorFunction<T, R>,
  values: readonly (readonly [time: number, value: T])[],
  { completes = false, until = 1_000_000 } = {},
): (readonly [time: number, value: R | string])[] {
  const scheduler = new EventTimeScheduler(0)
  const source = new Subject<T>()
  const out: [number, R | string][] = []
  runIn(scheduler, () => {
    source.pipe(make(new DurableOps({ timers: schedulerTimers(scheduler), scope: undefined }))).subscribe({
      next: (value) => out.push([scheduler.now(), structuredClone(laidOut(value))]),
      error: (error) => out.push([scheduler.now(), String(error)]),
      complete: () => out.push([scheduler.now(), 'complete']),
    })
    for (const [time, value] of values) {
      scheduler.advanceTo(time)
      source.next(value)
      scheduler.drain()
    }
    if (completes) source.complete()
    scheduler.advanceTo(until)
  })
  return out
}

type Events = Observable<StoredEvent<'thing.seen', { value: number }>>

/** A pipeline in mode checkpoint over the values of events. */
export function checkpoint(
  pipeline: (events$: Events, ctx: PipelineContext) => Observable<unknown>,
  options: object = {},
): PipelineDeclaration {
  return definePipeline({
    name: 'tested',
    version: 1,
    from: { stream: 'T', events: [In] },
    to: { stream: 'T', events: [Out] },
    recovery: { mode: 'checkpoint' },
    pipeline: (events$: Events, ctx: PipelineContext) =>
      pipeline(events$, ctx).pipe(map((value) => (isDraft(value) ? value : Out(value)))),
    ...options,
  } as never)
}

function isDraft(value: unknown): value is EventDraft {
  return typeof value === 'object' && value !== null && 'type' in value
}

/** A logic that notes what it fails with and what breaks it. */
export class Checkpointed {
  readonly logic: Logic
  readonly failures: unknown[] = []
  readonly broken: MillraceError[] = []
  readonly #note = (error: unknown): void => void this.failures.push(error)

  constructor(pipeline: PipelineDeclaration, memory: Memory = { kind: 'fresh' }, options: CheckpointOptions = {}) {
    this.logic = checkpointLogic(pipeline, memory, (error) => this.broken.push(error), options)
  }

  drafts(event: StoredEvent): readonly EventDraft[] {
    return this.logic.turn(event, this.#note)
  }

  turn(...events: readonly StoredEvent[]): unknown[] {
    return events.flatMap((event) => this.drafts(event).map(({ data }) => data))
  }

  tick(time: number): unknown[] {
    return (this.logic.tick?.(time, this.#note) ?? []).map(({ data }) => data)
  }
}

/** What an action is refused with; anything else that it throws is an error of the test. */
export function refusal(action: () => unknown): MillraceError {
  try {
    action()
  } catch (error) {
    if (isFault(error)) return error
    throw error
  }
  throw new Error('nothing was thrown')
}

/** The value of an event. */
export const value = map(({ data }: StoredEvent<'thing.seen', { value: number }>) => data.value)

export const sums = checkpoint((events$, { ops }) =>
  events$.pipe(
    value,
    ops.scan((total, each) => total + each, 0),
  ),
)

export const buffers = checkpoint((events$, { ops }) => events$.pipe(value, ops.bufferTime(100)))
