import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { z } from 'zod'
import { defineStream } from '../../src/broker/define-stream.ts'
import { parseRule } from '../../src/cep/rule/parse-rule.ts'
import { isFault } from '../../src/error/millrace-error.ts'
import { defineEvent } from '../../src/event/contract.ts'
import type { StoredEvent } from '../../src/event/event.ts'
import { createRegistry } from '../../src/event/registry.ts'
import { runTurn } from '../../src/kernel/run-turn.ts'
import { ruleProcessor } from '../../src/pipeline/rule-processor.ts'
import { storedEvent } from '../cep/stored-event.ts'
import { storedDraft } from '../kernel/messages.ts'

const test = suite('a rule at work')

const Taken = defineEvent('reading.taken', {
  data: z.object({ machine: z.string().optional(), value: z.number() }),
})
const Alarmed = defineEvent('machine.alarmed', {
  version: 3,
  upcasters: { 1: (old) => old, 2: (old) => old },
  data: z.object({ machine: z.string(), first: z.number().max(99), note: z.string().default('none') }),
  key: (data) => data.machine,
})
const registry = createRegistry([Taken, Alarmed])
const stream = defineStream({ name: 'T', root: 't' })

function rule(within = '1s', more = '') {
  return parseRule(
    `rule: alarm
on: T
key: data.machine
sequence:
  - low: { event: reading.taken, where: data.value < 100 }
  - high: { event: reading.taken, where: data.value >= 200 }
  - not: { event: reading.taken, where: data.value == 150 }
within: ${within}
${more}emit: { event: machine.alarmed, data: { machine: key, first: low.data.value } }
`,
    { file: 'alarm.yaml' },
  )
}

function start(known = registry, text = rule()) {
  const processor = ruleProcessor(text, known, { from: stream, to: stream })
  return { processor, logic: processor.start({ kind: 'fresh' }, () => undefined) }
}

let sequence = 0
function reading(time: number, value: number, machine: string | undefined = 'm'): StoredEvent {
  return storedEvent({ type: 'reading.taken', time, sequence: (sequence += 1), data: { machine, value } })
}

test('K1 reads its types, remembers, and is another version when its text is another', () => {
  const { processor } = start()
  assert.equal([processor.kind, processor.name, processor.memory], ['rule', 'alarm', 'snapshot'])
  assert.equal(processor.from.types, ['reading.taken'])
  assert.is.not(processor.version, start(registry, rule('2s')).processor.version)
  assert.is(processor.version, start().processor.version)
})

test('a match becomes an event of its contract: version, defaults and key are the contract’s', () => {
  const { logic } = start()
  const failures: unknown[] = []
  const drafts = [reading(0, 50), reading(10, 250), reading(2_000, 120)].flatMap((event) =>
    logic.turn(event, (error) => failures.push(error)),
  )
  assert.equal(failures, [])
  assert.equal(
    drafts.map(({ type, version, key, data }) => ({ type, version, key, data })),
    [{ type: 'machine.alarmed', version: 3, key: 'm', data: { machine: 'm', first: 50, note: 'none' } }],
  )
})

test('an event without a key matches nothing, but time passes with it and windows close', () => {
  const { logic } = start()
  const none = (error: unknown): never => {
    throw error
  }
  assert.is(logic.turn(reading(0, 50), none).length, 0)
  assert.is(logic.turn(reading(10, 250), none).length, 0)
  // of no machine: neither the 150 that forbids the match, nor the low value of another
  assert.is(logic.turn(storedEvent({ type: 'reading.taken', time: 20, data: { value: 150 } }), none).length, 0)
  assert.is(logic.turn(storedEvent({ type: 'reading.taken', time: 2_000, data: { value: 50 } }), none).length, 1)
})

test('with lateness, an event without a key lets time pass only as far as one with a key would', () => {
  const { logic } = start(registry, rule('1s', 'lateness: 500ms\n'))
  const none = (error: unknown): never => {
    throw error
  }
  logic.turn(reading(0, 50), none)
  logic.turn(reading(10, 250), none)
  assert.is(logic.turn(storedEvent({ type: 'reading.taken', time: 1_400, data: { value: 1 } }), none).length, 0)
  assert.is(logic.turn(reading(900, 150), none).length, 0, 'in time: it forbids the match')
  assert.is(logic.turn(storedEvent({ type: 'reading.taken', time: 3_000, data: { value: 1 } }), none).length, 0)
})

test('a match whose data break the contract is a dead letter; the other matches of the turn stay', () => {
  // low is 99.5 for one machine, above the 99 that the contract takes
  const { logic, processor } = start()
  const messages = [
    Taken({ machine: 'good', value: 50 }, { time: 0 }),
    Taken({ machine: 'bad', value: 99.5 }, { time: 1 }),
    Taken({ machine: 'also-good', value: 60 }, { time: 2 }),
    ...['good', 'bad', 'also-good'].map((machine) => Taken({ machine, value: 300 }, { time: 5 })),
    Taken({ machine: 'good', value: 110 }, { time: 5_000 }),
  ].map((draft, at) => storedDraft(draft, at + 1))
  const turns = messages.map((message) => runTurn({ processor, logic, registry }, message))
  const last = turns.at(-1)
  if (last === undefined) return assert.unreachable()
  const { outputs } = last
  const [deadLetter] = last.deadLetters
  assert.equal(
    outputs.map(({ data }) => (JSON.parse(Buffer.from(data).toString()) as { machine: string }).machine),
    ['good', 'also-good'],
  )
  assert.is(deadLetter?.code, 'OUTPUT_INVALID')
  assert.is(deadLetter?.processor, 'rule-alarm')
  assert.equal(
    deadLetter?.issues.map(({ pointer }) => pointer),
    ['/first'],
  )
  // ids follow from what was matched, so that a replay gives them again: the sequence is that of the last event
  const header = (wanted: string) => outputs.map(({ headers }) => headers.find(([name]) => name === wanted)?.[1])
  const ids = header('ce-id').map((id) => /^rule-alarm-0-(\d+)-\d+$/.exec(id ?? '')?.[1])
  assert.equal(ids, ['4', '6'])
  assert.is(new Set(header('ce-id')).size, 2)
  assert.equal(header('ce-source'), ['/millrace/rules/alarm', '/millrace/rules/alarm'])
  const again = start().logic
  const replayed = messages.flatMap((message) => runTurn({ processor, logic: again, registry }, message).outputs)
  assert.equal(
    replayed.map(({ headers }) => headers.find(([name]) => name === 'ce-id')?.[1]),
    header('ce-id'),
  )
})

test('an event that the rule emits and nobody declares is a fault of the match, not the end of the rule', () => {
  const { logic } = start(createRegistry([Taken]))
  const failures: unknown[] = []
  const drafts = [reading(0, 50), reading(10, 250), reading(2_000, 120), reading(2_001, 120)].flatMap((event) =>
    logic.turn(event, (error) => failures.push(error)),
  )
  assert.equal(drafts, [])
  assert.is(failures.length, 1)
  assert.ok(isFault(failures[0], 'OUTPUT_INVALID'))
})

function throughJson(logic: ReturnType<typeof start>['logic']): unknown {
  return JSON.parse(JSON.stringify(logic.snapshot?.()))
}

test('K1 from a snapshot that went through JSON it goes on as if it had never stopped', () => {
  const events = Array.from({ length: 400 }, (_, i) => reading(i * 7, (i * 67) % 320, `m${i % 3}`))
  const turn = (logic: ReturnType<typeof start>['logic'], event: StoredEvent) =>
    logic.turn(event, (error) => {
      throw error
    })
  const { logic, processor } = start()
  const expected = events.map((event) => turn(logic, event))
  assert.ok(expected.flat().length > 20)
  for (const at of [1, 57, 133, 200, 399]) {
    const before = processor.start({ kind: 'fresh' }, () => undefined)
    for (const event of events.slice(0, at)) turn(before, event)
    const after = processor.start({ kind: 'snapshot', state: throughJson(before) }, () => undefined)
    assert.equal(
      events.slice(at).map((event) => turn(after, event)),
      expected.slice(at),
    )
  }
})

test.run()
