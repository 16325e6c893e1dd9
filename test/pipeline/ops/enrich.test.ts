import { map } from 'rxjs'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { isFault } from '../../../src/error/millrace-error.ts'
import type { StoredEvent } from '../../../src/event/event.ts'
import type { StepOutcome } from '../../../src/kernel/decision.ts'
import type { Logic } from '../../../src/kernel/processor.ts'
import { definePipeline, type PipelineDeclaration } from '../../../src/pipeline/define-pipeline.ts'
import { enrich, type EnrichOptions, type View } from '../../../src/pipeline/ops/enrich.ts'
import { pipelineLogic } from '../../../src/pipeline/pipeline-processor.ts'
import { In, Out, seen } from '../keyed/declared.ts'
import { checkpoint, Checkpointed } from './at-work.ts'

const test = suite('enriching from a view')

function declare(view: View<unknown>, options: EnrichOptions): PipelineDeclaration {
  return definePipeline({
    name: 'enriched',
    version: 1,
    from: { stream: 'T', events: [In] },
    to: { stream: 'T', events: [Out] },
    recovery: { mode: 'slots', idle: '1h' },
    pipeline: (events$, ctx) =>
      events$.pipe(
        enrich(ctx, view, (event) => String(event.data.value), options),
        map(({ value, found }) => Out([value.data.value, found ?? null])),
      ),
  })
}

/** Gives events one after the other, runs the steps that are asked for, and notes what happens. */
async function run(logic: Logic, events: readonly StoredEvent[], outcomes: StepOutcome[] = []): Promise<unknown[]> {
  const out: unknown[] = []
  const fail = (error: unknown): void => void out.push(String(error))
  for (const event of events) {
    out.push(...logic.turn(event, fail).map(({ data }) => data))
    for (let steps = logic.takeSteps?.() ?? []; steps.length > 0; steps = logic.takeSteps?.() ?? [])
      for (const step of steps) {
        const value = await step.run('key', new AbortController().signal)
        const outcome = { ok: true, value: JSON.parse(JSON.stringify(value)) as unknown } as const
        outcomes.push(outcome)
        out.push(...(logic.settle?.(step.id, outcome, fail) ?? []).map(({ data }) => data))
      }
  }
  return out
}

/** Answers with how often it was asked. */
class Counting implements View<unknown> {
  asked: string[] = []

  get(key: string): Promise<unknown> {
    this.asked.push(key)
    return Promise.resolve(key === '0' ? undefined : { risk: this.asked.length })
  }
}

function start(view: View<unknown>, options: EnrichOptions): Logic {
  return pipelineLogic(declare(view, options), { kind: 'fresh' }, (error) => assert.unreachable(String(error)))
}

test('what was looked up is used for its ttl, in event time, also that there is nothing', async () => {
  const view = new Counting()
  const events = [
    [0, 7],
    [10, 7],
    [20, 0],
    [30, 0],
    [100, 7],
    [109, 7],
  ].map(([time = 0, value = 0]) => seen('a', time, value))
  assert.equal(await run(start(view, { ttl: 100 }), events), [
    [7, { risk: 1 }],
    [7, { risk: 1 }],
    [0, null],
    [0, null],
    [7, { risk: 3 }],
    [7, { risk: 3 }],
  ])
  assert.equal(view.asked, ['7', '0', '7'])
})

test('the oldest give way when there are too many', async () => {
  const view = new Counting()
  const events = [1, 2, 3, 1].map((value, time) => seen('a', time, value))
  await run(start(view, { ttl: '1h', max: 2 }), events)
  assert.equal(view.asked, ['1', '2', '3', '1'])
})

test('values keep their order while one is looked up', async () => {
  const view = new Counting()
  const logic = start(view, { ttl: '1h' })
  const fail = (error: unknown): never => assert.unreachable(String(error)) as never
  assert.equal(logic.turn(seen('a', 0, 1), fail), [])
  const [step] = logic.takeSteps?.() ?? []
  assert.equal(logic.turn(seen('a', 0, 1), fail), [])
  const value = await step?.run('k', new AbortController().signal)
  const out = logic.settle?.(step?.id ?? '', { ok: true, value }, fail) ?? []
  assert.equal(
    out.map(({ data }) => data),
    [
      [1, { risk: 1 }],
      [1, { risk: 1 }],
    ],
  )
})

test('a replay is given what was recorded, whatever the view says then', async () => {
  const view = new Counting()
  const outcomes: StepOutcome[] = []
  const events = [1, 2, 1].map((value, time) => seen('a', time, value))
  const out = await run(start(view, { ttl: '1h' }), events, outcomes)
  const changed: View<unknown> = { get: () => assert.unreachable('asked again') as never }
  const replayed: unknown[] = []
  const logic = start(changed, { ttl: '1h' })
  let serial = 0
  const fail = (error: unknown): void => assert.unreachable(String(error))
  for (const event of events) {
    replayed.push(...logic.turn(event, fail).map(({ data }) => data))
    for (const { id } of logic.takeSteps?.() ?? [])
      replayed.push(...(logic.settle?.(id, outcomes[serial++] as StepOutcome, fail) ?? []).map(({ data }) => data))
  }
  assert.equal(replayed, out)
})

test('mode checkpoint refuses it', () => {
  const running = new Checkpointed(
    checkpoint((events$, ctx) => events$.pipe(enrich(ctx, new Counting(), ({ id }) => id, { ttl: 1 }))),
  )
  try {
    running.turn(seen('a', 1))
    assert.unreachable()
  } catch (error) {
    assert.ok(isFault(error, 'STEP_UNAVAILABLE'), String(error))
  }
})

test.run()
