import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { EventDraft, StoredEvent } from '../../src/event/event.ts'
import type { ComposedDraft } from '../../src/kernel/composed-draft.ts'
import type { LogicEnvironment } from '../../src/kernel/logic-environment.ts'
import type { Logic, Processor } from '../../src/kernel/processor.ts'
import type { StreamDeclaration } from '../../src/broker/define-stream.ts'
import { connectTo, eventually, freshStream } from '../support/broker.ts'
import { publishAll, readAll } from '../support/events.ts'
import { Reading } from '../support/kill-fixture.ts'
import { sharedServer } from '../support/nats.ts'
import { start } from './running.ts'

const test = suite('kernel/logic-environment')

const MANY = 40

interface Told {
  readonly expected: number[]
  readonly turns: number[]
  readonly stored: number[]
}

/** Needs something for each machine that is fetched first; what it puts out it writes itself. */
class Fetching implements Logic {
  readonly #environment: LogicEnvironment
  readonly #root: string
  readonly #told: Told
  readonly #here = new Set<string>()
  readonly #asked = new Set<string>()
  #turn: number | undefined

  constructor(environment: LogicEnvironment, root: string, told: Told) {
    this.#environment = environment
    this.#root = root
    this.#told = told
  }

  admits({ key = '' }: StoredEvent): boolean {
    if (!this.#here.has(key)) this.#fetch(key)
    return this.#here.has(key)
  }

  expect({ key = '', sequence }: StoredEvent): void {
    this.#told.expected.push(sequence)
    this.#fetch(key)
  }

  turn({ sequence }: StoredEvent): readonly EventDraft[] {
    this.#told.turns.push(sequence)
    this.#turn = sequence
    return [composed(this.#root, sequence)]
  }

  afterCommit(): (() => void) | undefined {
    const turn = this.#turn
    return turn === undefined ? undefined : () => void this.#told.stored.push(turn)
  }

  stop(): void {}

  #fetch(key: string): void {
    if (this.#asked.has(key)) return
    this.#asked.add(key)
    const look = (): void => {
      // the first comes when much was announced behind it, in however many pieces the server delivers that
      if (this.#told.expected.length < MANY) return void this.#environment.clock.after(5, look)
      this.#here.add(key)
      this.#environment.wake()
    }
    this.#environment.clock.after(5, look)
  }
}

function composed(root: string, sequence: number): ComposedDraft {
  const event = { type: 'own', version: 1, data: undefined, key: undefined, id: undefined, source: undefined }
  const cause = { time: undefined, correlationId: undefined, causationId: undefined, attributes: {} }
  return {
    ...event,
    ...cause,
    compose: ({ processor, ordinal }) =>
      [0, 1].map((part) => ({
        subject: `${root}.${sequence}.own`,
        headers: [['Which', `${processor} ${ordinal + part}`]],
        data: Buffer.from(String(part)),
      })),
  }
}

const fetching = (from: StreamDeclaration, to: StreamDeclaration, told: Told): Processor => ({
  kind: 'actor',
  name: 'fetching',
  version: '1',
  from: { stream: from },
  to: { stream: to },
  memory: 'none',
  start: (_memory, _onBroken, environment) => new Fetching(environment as LogicEnvironment, to.root, told),
})

test('an event waits until what it needs is there; those behind it are announced once, and handled in order', async () => {
  const connection = await connectTo((await sharedServer()).url)
  const from = await freshStream(connection)
  const to = await freshStream(connection)
  const values = Array.from({ length: 60 }, (_, at) => Reading({ machine: `m${at % 20}`, value: at }))
  const sequences = values.map((_, at) => at + 1)
  await publishAll(connection, from, values)
  const told: Told = { expected: [], turns: [], stored: [] }
  const { run, failures } = await start(connection, fetching(from, to, told))
  await eventually('all stored', () => told.stored.length === 60)
  assert.equal(told.turns, sequences)
  assert.equal(told.stored, sequences, 'told once each, in order, when stored')
  assert.equal(new Set(told.expected).size, told.expected.length, 'announced once')
  assert.ok(told.expected.length >= MANY, 'fetched ahead')
  await run.stop()
  assert.equal(failures, [])
  const messages = await readAll(connection, to.name, [`${to.root}.>`])
  assert.is(messages.length, 120)
  assert.equal(
    messages.slice(0, 4).map(({ headers, data }) => `${headers.get('Which')} ${Buffer.from(data).toString()}`),
    ['actor-fetching 0 0', 'actor-fetching 1 1', 'actor-fetching 0 0', 'actor-fetching 1 1'],
  )
  await connection.close()
})

test.run()
