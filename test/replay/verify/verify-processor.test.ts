// What verify promises: a processor that repeats itself passes, one that does not is found, with where and why.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { isFault } from '../../../src/error/millrace-error.ts'
import type { VerifyFailure } from '../../../src/replay/verify/failure.ts'
import { verifyFault } from '../../../src/replay/verify/verify-processor.ts'
import { storedDraft } from '../../kernel/messages.ts'
import { idleSlots } from '../../kernel/simulation/idle-slots.ts'
import { inTime } from '../../support/in-time.ts'
import { Reading } from '../../support/kill-fixture.ts'
import {
  alarm,
  counts,
  durable,
  high,
  mistakes,
  notStored,
  scored,
  someMessages,
  stream,
  verify,
  windows,
  type Subject,
} from './subjects.ts'

const test = suite('verify')
const slots: Subject = { processor: idleSlots(stream), mode: 'slots' }

async function failureOf(subject: Subject): Promise<VerifyFailure> {
  const { failure } = await verify(subject)
  assert.ok(failure, 'it is found')
  return failure
}

for (const [name, subject] of Object.entries({ high, windows, counts, durable, alarm }))
  test(`V2 ${name} (${subject.processor.memory}) is crashed after each of its items and is the same`, async () => {
    const report = await verify(subject, { messages: someMessages(160, 5) })
    assert.is(report.failure, undefined)
    assert.is(verifyFault(report), undefined)
    assert.is(report.messages, 160)
    assert.is(report.units, subject === alarm ? 1 : 4)
    assert.is(report.every, 1)
    assert.is(report.points, report.items)
    assert.is(report.chained, report.items)
    assert.ok(report.outputs > 5, `${report.outputs} outputs`)
    if (subject === high) assert.ok(report.deadLetters > 0)
    if (subject !== high && subject !== alarm) assert.ok(report.ticks.made > 20, 'time passes between events too')
  })

const expected: Readonly<Record<string, readonly [found: RegExp, cause: RegExp]>> = {
  random: [/run twice.*- data\.value 0\.\d+ \+ data\.value 0\.\d+/, /data\.value looks like Math\.random\(\)/],
  'random id': [/run twice.*- data\.machine "[\w-]{36}" \+ data\.machine "[\w-]{36}"/, /use ctx\.uuid\(\)/],
  clock: [/run twice.*- data\.value \d{13} \+ data\.value \d{13}/, /the time of the machine: use ctx\.now\(\)/],
  'guarded clock': [/cannot be run.*NONDETERMINISTIC_CALL/, /Date\.now\(\) at .*subjects\.ts/],
  'module state': [/run twice.*- data\.value 1 \+ data\.value \d+/, /a variable of its module/],
  'module cache': [/run twice.*- \{"id":"pipeline-module-cache-1-1-0".* \+ nothing/, /a variable of its module/],
  'state in stateless': [/PIPELINE_KEEPS_STATE/, /mode: "slots"/],
  'state in stateless, seldom': [/crashed after item.*\+ nothing/, /it keeps state.*mode: "slots"/],
  'state beside the state': [/crashed after item 1 of .*- data\.value 2 \+ data\.value/, /outside of c\.state/],
  'opaque operator in checkpoint': [
    /crashed after item 1 of .*- data\.value \d+ \+ data\.value/,
    /in the place of one of ctx\.ops/,
  ],
}

for (const [name, [found, cause]] of Object.entries(expected))
  test(`V1 ${name} is found, with the first output that differs and the likely cause`, async () => {
    const make = mistakes[name]
    assert.ok(make)
    const failure = await failureOf(make())
    assert.match(failure.found.join(' '), found)
    assert.match(failure.likelyCause, cause)
  })

test('every mistake is tried', () => {
  assert.equal(Object.keys(expected).sort(), Object.keys(mistakes).sort())
})

test('V1 state that JSON does not bring back is found and named', async () => {
  const failure = await failureOf(notStored)
  assert.match(failure.found.join(' '), 'its state cannot be stored as it is: key "m9", /since is a Date')
  assert.match(failure.likelyCause, 'keep plain data')
})

for (const mutation of ['late start', 'no basis'] as const)
  test(`V1 a replay with ${mutation} is found`, async () => {
    const failure = await failureOf({ processor: idleSlots(stream, mutation), mode: 'slots' })
    assert.type(failure.crashIndex, 'number')
  })

test('a step without a result counts as failed where events wait for it, and says so', async () => {
  for (const subject of [slots, scored()]) {
    const { failure, steps } = await verify(subject)
    assert.is(failure, undefined)
    assert.ok(steps.failed > 0)
    assert.is(steps.ran + steps.recorded, 0)
  }
})

test('steps are run when that is asked for, each once for the whole verification', async () => {
  let runs = 0
  const score = async (value: number): Promise<number> => {
    runs += 1
    return value + 0.5
  }
  const { failure, steps } = await verify(scored(score), { runSteps: true, messages: someMessages(150) })
  assert.is(failure, undefined)
  assert.ok(steps.ran > 25)
  assert.is(steps.failed + steps.pending, 0)
  assert.is(runs, steps.ran)
})

test('results and ticks of the journal are used at their places', async () => {
  const messages = someMessages(200, 3).filter(({ subject }) => subject.startsWith('t.2.'))
  const [first] = messages
  assert.ok(first)
  const { sequence: after, storedAt, subject } = first
  // the first of its machine asks for a step
  const asking = { ...storedDraft(Reading({ machine: 'm2', value: 77 }, { time: storedAt }), after), subject }
  const journal = [
    { kind: 'tick', after, time: storedAt + 5 } as const,
    { kind: 'step', after, id: `${after}/${after}`, outcome: { ok: true, value: 5 } } as const,
  ]
  const without77 = messages.slice(1).filter(({ data }) => !Buffer.from(data).includes(':77}'))
  const report = await verify(slots, { messages: [asking, ...without77], journals: new Map([['2', journal]]) })
  assert.is(report.failure, undefined)
  assert.is(report.ticks.recorded, 1)
  assert.equal(report.steps, { recorded: 1, ran: 0, failed: 0, pending: 0 })
})

test('V2 a processor that parks keys of events that fail is the same', async () => {
  for (const { processor, mode } of [high, windows]) {
    const report = await verify(
      { processor: { ...processor, onPoison: 'park' }, mode },
      { messages: someMessages(120) },
    )
    assert.is(report.failure, undefined)
  }
})

test('a number of places is kept to, and it says which one of how many was taken', async () => {
  const report = await verify(high, { messages: someMessages(700), points: 100 })
  assert.ok(report.points <= 100 && report.points > 80, `${report.points}`)
  assert.ok(report.every >= 7 && report.every <= 9, `${report.every}`)
})

test('progress goes from nothing to the whole, and counts crashes', async () => {
  const seen: { points: number; fraction: number }[] = []
  const { points } = await verify(counts, { messages: someMessages(200), onProgress: (now) => seen.push({ ...now }) })
  assert.ok(seen.every(({ fraction }, at) => fraction >= (seen[at - 1]?.fraction ?? 0) && fraction <= 1.0001))
  assert.ok((seen[0]?.fraction ?? 1) < 0.1)
  assert.ok((seen.at(-1)?.fraction ?? 0) > 0.8)
  assert.is(seen.at(-1)?.points, points)
})

test('a failure becomes VERIFY_FAILED, which tells it in full', async () => {
  const make = mistakes['state beside the state']
  const error = make === undefined ? undefined : verifyFault(await verify(make()))
  assert.ok(isFault(error, 'VERIFY_FAILED'))
  assert.match(error.detail, /^pipeline-beside, partition 1: crashed after item 1 of \d+.*\n/)
  assert.match(error.detail, /\nlikely cause: the handlers keep state outside of c\.state/)
  assert.is(error.exit, 5)
})

test('no messages is an error, not a success', async () => {
  try {
    await verify(high, { messages: [] })
    assert.unreachable()
  } catch (error) {
    assert.ok(isFault(error, 'VERIFY_NOTHING'))
  }
})

test('it can be stopped', async () => {
  const messages = someMessages(5_000)
  await inTime(5_000, 'the end of it', async () => {
    const control = new AbortController()
    const running = verify(windows, { messages, signal: control.signal })
    control.abort(new Error('enough'))
    try {
      await running
      assert.unreachable()
    } catch (error) {
      assert.match(String(error), 'enough')
    }
  })
})

test.run()
