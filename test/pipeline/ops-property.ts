// Durable operators against those of RxJS, and crashed anywhere against themselves.
import * as fc from 'fast-check'
import { map, Subject, tap, type OperatorFunction } from 'rxjs'
import type { StoredEvent } from '../../src/event/event.ts'
import { checkpointLogic, type CheckpointOptions } from '../../src/pipeline/checkpoint-logic.ts'
import { definePipeline, type PipelineDeclaration } from '../../src/pipeline/define-pipeline.ts'
import { DurableOps } from '../../src/pipeline/ops/durable-ops.ts'
import { schedulerTimers } from '../../src/pipeline/ops/durable-timer.ts'
import { runIn } from '../../src/time/ambient.ts'
import { EventTimeScheduler } from '../../src/time/event-time-scheduler.ts'
import type { PipelineTime } from '../../src/pipeline/pipeline-time.ts'
import { compareInterrupted, In, moments, Out, times, type Start, type Tried } from './keyed/moments.ts'
import { chainOf, DURABLE, numberOf, SHARED, withOps, withRxjs, type Link } from './ops/chains.ts'

/** Values, and how long after the one before each comes, in ms. */
type Log = readonly { readonly passed: number; readonly value: number }[]

const log: fc.Arbitrary<Log> = fc.array(
  fc.record({
    passed: fc.oneof(
      { weight: 2, arbitrary: fc.constant(0) },
      { weight: 8, arbitrary: fc.integer({ min: 1, max: 15 }) },
      { weight: 2, arbitrary: fc.integer({ min: 16, max: 200 }) },
    ),
    value: fc.integer({ min: -3, max: 50 }),
  }),
  { minLength: 1, maxLength: 80, size: 'max' },
)

/** What comes out, with its time. */
function run(
  operator: (scheduler: EventTimeScheduler) => OperatorFunction<number, unknown>,
  values: Log,
  completes: boolean,
): string[] {
  const scheduler = new EventTimeScheduler(1_000)
  const source = new Subject<number>()
  const out: string[] = []
  const note = (text: string): void => void out.push(`${scheduler.now()} ${text}`)
  runIn(scheduler, () => {
    source.pipe(operator(scheduler)).subscribe({
      next: (value) => note(JSON.stringify(value)),
      error: (error) => note(String(error)),
      complete: () => note('complete'),
    })
    for (const { passed, value } of values) {
      scheduler.advanceTo(scheduler.now() + passed)
      source.next(value)
      scheduler.drain()
    }
    if (completes) source.complete()
    scheduler.advanceTo(scheduler.now() + 500)
  })
  return out
}

/**
 * Chains of durable operators put out what chains of the RxJS operators of those names do, at the same times.
 * @returns how many values were compared
 */
export function checkOperators(runs: number, seed?: number): number {
  let compared = 0
  fc.assert(
    fc.property(chainOf(SHARED), log, fc.boolean(), (chain: Link[], values, completes) => {
      const theirs = run(() => withRxjs(chain), values, completes)
      const ours = run(
        (scheduler) => withOps(chain, new DurableOps({ timers: schedulerTimers(scheduler), scope: undefined })),
        values,
        completes,
      )
      compared += theirs.length
      if (ours.join('\n') !== theirs.join('\n'))
        throw new Error(`RxJS:\n${theirs.join('\n')}\n--- was ---\n${ours.join('\n')}`)
    }),
    { numRuns: runs, ...(seed === undefined ? {} : { seed }) },
  )
  return compared
}

function declare(
  chain: readonly Link[],
  time: PipelineTime<StoredEvent>,
  idle: number | undefined,
): PipelineDeclaration {
  return definePipeline({
    name: 'chain',
    version: 1,
    from: { stream: 'T', events: [In] },
    to: { stream: 'T', events: [Out] },
    time,
    recovery: idle === undefined ? { mode: 'checkpoint' } : { mode: 'checkpoint', idle },
    pipeline: (events$, ctx) =>
      events$.pipe(
        map(({ data }) => data.kind),
        tap((kind) => {
          if (kind === 13) throw new Error('thirteen')
        }),
        withOps(chain, ctx.ops),
        map((value) => Out([value, numberOf(value) % 7 === 3 ? ctx.random() : ctx.now()])),
      ),
  })
}

/**
 * Z1 D1: chains of durable operators that are restored from the state log go on as if they had never stopped, also when
 * nearly every key is asleep; and no twin of one ever differs.
 * @returns how much was tried
 */
export function checkCheckpoints(runs: number, seed?: number): Tried {
  const tried = { crashes: 0, outputs: 0 }
  const idles = fc.constantFrom(undefined, 50, 500)
  const options: fc.Arbitrary<CheckpointOptions> = fc.record({
    awake: fc.constantFrom(1, 2, 100),
    probeEvery: fc.constantFrom(0, 1, 3),
    probeFor: fc.constantFrom(1, 5, 50),
  })
  fc.assert(
    fc.property(chainOf(DURABLE), moments, times, idles, options, (chain, all, time, idle, asked) => {
      const pipeline = declare(chain, time, idle)
      const broken = (error: unknown): void => {
        throw error
      }
      const alone: Start = (memory) => checkpointLogic(pipeline, memory, broken, { probeEvery: 0 })
      const start: Start = (memory) => checkpointLogic(pipeline, memory, broken, asked)
      const { crashes, outputs } = compareInterrupted([alone, start], all, /thirteen|EVENT_LATE/)
      tried.crashes += crashes
      tried.outputs += outputs
    }),
    { numRuns: runs, ...(seed === undefined ? {} : { seed }) },
  )
  return tried
}
