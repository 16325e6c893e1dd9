import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Connection } from '../../src/broker/connection.ts'
import { dropCommand } from '../../src/cli/dead-letters/drop-command.ts'
import { editCommand } from '../../src/cli/dead-letters/edit-command.ts'
import { listCommand, type ListFlags } from '../../src/cli/dead-letters/list-command.ts'
import { redriveCommand, type RedriveLettersFlags } from '../../src/cli/dead-letters/redrive-command.ts'
import { showCommand } from '../../src/cli/dead-letters/show-command.ts'
import { LetterRecords } from '../../src/delivery/letters/letter-records.ts'
import { defineHandler } from '../../src/delivery/define-handler.ts'
import { deadLetter, permanent } from '../../src/delivery/recovery.ts'
import type { StoredEvent } from '../../src/event/event.ts'
import type { HandlerDeclaration } from '../../src/delivery/handler-options.ts'
import type { Deployment } from '../../src/runtime/deployment.ts'
import { systemClock } from '../../src/time/system-clock.ts'
import { eventually, sharedConnection } from '../support/broker.ts'
import { cliContext, type TestContext } from '../support/cli-context.ts'
import { Asked, ask, letters, place, registry, work, type Place } from '../delivery/running-handlers.ts'

const test = suite('cli: dead letters, redriven')

interface World {
  readonly connection: Connection
  readonly at: Place
  readonly name: string
  readonly mended: { yet: boolean }
  /** What was handled, in order: numbers with generation. */
  readonly handled: string[]
  context(json?: boolean): TestContext
  list(flags?: Partial<ListFlags>): Promise<Record<string, any>[]>
  redrive(numbers: readonly number[], flags?: RedriveLettersFlags): Promise<Record<string, any>[]>
}

let serial = 0

/** A handler that refuses everything until it is mended, at work. */
async function world(events: number): Promise<World> {
  const connection = await sharedConnection()
  const at = await place(connection)
  const mended = { yet: false }
  const handled: string[] = []
  const name = `letters-${process.pid}-${(serial += 1)}`
  const declaration: HandlerDeclaration = defineHandler({
    name,
    on: { stream: at.stream.name, events: [Asked] },
    recovery: deadLetter(),
    handle: (event: StoredEvent, { generation }: { generation: number }) => {
      const { n } = event.data as { n: number }
      if (!mended.yet && n < 1_000) throw permanent(`no ${n}`)
      handled.push(`${n} g${generation}`)
    },
  })
  await work(connection, at, declaration)
  await ask(connection, at, events)
  await eventually('they are dead', async () => (await letters(connection, at)).length === events)
  const deployment = {
    folder: '',
    streams: [at.stream, at.work],
    registry,
    pipelines: [],
    rules: [],
    actors: [],
    handlers: [{ declaration, stream: at.stream, work: at.work, emitsTo: undefined }],
    homes: new Map(),
  } as Deployment
  const context = (json = true): TestContext => ({
    ...cliContext(json ? { json } : {}),
    deployment: async () => deployment,
  })
  const stream = at.stream.name
  return {
    connection,
    at,
    name,
    mended,
    handled,
    context,
    list: async (flags = {}) => {
      const own = context()
      await listCommand(own, { stream, limit: 50, ...flags })
      return JSON.parse(own.out.text())['deadLetters']
    },
    redrive: async (numbers, flags = {}) => {
      const own = context()
      await redriveCommand(own, numbers, flags)
      return own.out
        .text()
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line))
    },
  }
}

/** Why something was refused. */
function refusal(work: Promise<unknown>): Promise<string> {
  return work.then(
    () => 'it was not refused',
    (error: unknown) => String(error),
  )
}

test('LT5 24 a letter counts as redriven when it is handled, and leaves the list then', async () => {
  const { list, redrive, mended, handled, at } = await world(3)
  const [first] = await list()
  assert.is(first?.['standing'], 'dead')
  // they were handled at the same time: any of them may be the first letter
  const n = Number(/\d+/.exec(first?.['key']))
  mended.yet = true
  const [told] = await redrive([first?.['number']], { wait: true })
  assert.is(told?.['outcome'], 'handled')
  assert.equal(handled, [`${n} g1`])
  assert.is((await list()).length, 2)
  assert.is((await list({ all: true }))[0]?.['standing'], 'handled')
  const [again] = await redrive([first?.['number']], { wait: true })
  assert.is(again?.['outcome'], 'closed')
  const many = await redrive([], { stream: at.stream.name, wait: true, yes: true })
  assert.equal(many.at(-1)?.['redriven']['handled'], 2)
  assert.equal(handled.toSorted(), ['0 g1', '1 g1', '2 g1'])
  assert.is((await list()).length, 0)
})

test('LT5 24 an event that fails again is another letter, which shows its generation and the error before', async () => {
  const { list, redrive, context } = await world(1)
  const [first] = await list()
  const [told] = await redrive([first?.['number']], { wait: true })
  assert.is(told?.['outcome'], 'again')
  const [second, ...others] = await list()
  assert.is(others.length, 0)
  assert.is(second?.['generation'], 1)
  assert.is(second?.['number'], told?.['next'])
  const own = context()
  await showCommand(own, second?.['number'])
  assert.is(JSON.parse(own.out.text())['former']['number'], first?.['number'])
})

test('LT4 letters of a key go in the order of their stream, the next when the former has its fate', async () => {
  const { redrive, mended, handled, at } = await world(15)
  mended.yet = true
  await redrive([], { stream: at.stream.name, wait: true, yes: true })
  assert.is(handled.length, 15)
  const ofKey = handled.map((text) => parseInt(text, 10)).filter((n) => n % 7 === 0)
  assert.equal(ofKey, [0, 7, 14])
})

test('LT2 an edit is checked against the contract, is kept beside the letter and is what comes back', async () => {
  const { list, redrive, context, handled } = await world(1)
  const [{ number }] = (await list()) as [{ number: number }]
  assert.match(await refusal(editCommand(context(), number, { set: ['n=many'] })), /LETTER_EDIT_INVALID/)
  const own = context(false)
  await editCommand(own, number, { set: ['n=1000'] })
  assert.is(own.out.text(), '- /n 0\n+ /n 1000\n')
  const [told] = await redrive([number], { wait: true })
  assert.is(told?.['outcome'], 'handled')
  assert.equal(handled, ['1000 g1'])
})

test('25 a drop is recorded with its reason and makes room at once; what is dropped is not redriven', async () => {
  const { connection, list, redrive, context } = await world(1)
  const [{ number }] = (await list()) as [{ number: number }]
  await dropCommand(context(), [number], { reason: 'done by hand' })
  assert.is((await list()).length, 0)
  const own = context()
  await showCommand(own, number)
  assert.is(JSON.parse(own.out.text())['dropped'], 'done by hand')
  assert.is((await redrive([number]))[0]?.['outcome'], 'closed')
  const stored = async (): Promise<boolean> =>
    connection.manager.streams.getMessage('DEAD_LETTERS', { seq: number }).then(
      (message) => message !== null,
      () => false,
    )
  assert.ok(await stored())
  await dropCommand(context(), [number], { reason: 'room', erase: true })
  assert.not(await stored())
})

test('LT1 LT3 of many who redrive a letter at once, and again after they were killed, its event is handled once', async () => {
  const { connection, list, redrive, mended, handled } = await world(1)
  const [{ number }] = (await list()) as [{ number: number }]
  mended.yet = true
  await Promise.all(Array.from({ length: 4 }, () => redrive([number], { wait: true })))
  assert.equal(handled, ['0 g1'])
  const records = new LetterRecords(connection, systemClock)
  for (const state of ['open', 'redriving'] as const) {
    // as one leaves it that is killed after its event was sent, before that was noted
    const { revision } = await records.read(number)
    await records.write(number, { state: 'open', at: 0, edits: 0, revision }, { state })
    assert.is((await redrive([number], { wait: true }))[0]?.['outcome'], 'handled')
  }
  assert.equal(handled, ['0 g1'])
})

test('25 a redrive keeps its rate', async () => {
  const { redrive, mended, at } = await world(12)
  mended.yet = true
  const started = performance.now()
  await redrive([], { stream: at.stream.name, rate: 20, yes: true })
  assert.ok(performance.now() - started >= 500, 'eleven pauses of 50 ms')
})

test('groups, conditions and dry runs say what there is and change nothing', async () => {
  const { list, redrive, context, at } = await world(4)
  const own = context()
  await listCommand(own, { stream: at.stream.name, limit: 50, groupBy: 'fingerprint' })
  const { groups } = JSON.parse(own.out.text())
  assert.is(groups.length, 1)
  assert.is(groups[0].count, 4)
  const where = 'event.data.n >= 2 && code == "HANDLER_REFUSED"'
  assert.is((await list({ where })).length, 2)
  const [preview] = await redrive([], { stream: at.stream.name, where, dryRun: true })
  assert.is(preview?.['letters'], 2)
  assert.is((await list()).filter(({ standing }) => standing === 'dead').length, 4)
  assert.match(await refusal(redrive([], { stream: at.stream.name })), /say --yes/)
  assert.match(await refusal(redrive([])), /--all/)
})

test.run()
