// What a dead letter is about: one event of many, and a message where it was published.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Connection } from '../../src/broker/connection.ts'
import type { StreamDeclaration } from '../../src/broker/define-stream.ts'
import { publishOnce } from '../../src/broker/publish-once.ts'
import { readDeadLetter, type DeadLetter } from '../../src/delivery/letters/dead-letter.ts'
import { showCommand } from '../../src/cli/dead-letters/show-command.ts'
import { completeDraft } from '../../src/event/complete.ts'
import { decodeMessages } from '../../src/event/decode.ts'
import type { StoredEvent } from '../../src/event/event.ts'
import { packEvents } from '../../src/event/packed.ts'
import type { OnPoison } from '../../src/kernel/processor-policies.ts'
import type { Logic, Processor } from '../../src/kernel/processor.ts'
import { contractsProcessor } from '../../src/pipeline/contracts-processor.ts'
import { eventually, freshStream, sharedConnection } from '../support/broker.ts'
import { cliContext } from '../support/cli-context.ts'
import { readAll } from '../support/events.ts'
import { High, Reading } from '../support/kill-fixture.ts'
import { apply, declareInputs, merged, mergeOf, pipelineName } from '../support/merging.ts'
import { headersOf } from './messages.ts'
import { start } from './running.ts'

const test = suite('what a dead letter is about')

/** Fails at even values. */
class Failing implements Logic {
  turn({ data }: StoredEvent) {
    const { machine, value } = data as { machine: string; value: number }
    if (value % 2 === 0) throw new Error(`even: ${value}`)
    return [High({ machine, value })]
  }

  snapshot(): null {
    return null
  }

  stop(): void {}
}

function failing(from: StreamDeclaration, to: StreamDeclaration, onPoison: OnPoison = 'continue'): Processor {
  return {
    kind: 'pipeline',
    name: `failing-${onPoison}`,
    version: '1',
    from: { stream: from, types: [Reading.type] },
    to: { stream: to },
    memory: 'snapshot',
    onPoison,
    start: () => new Failing(),
  }
}

async function publish(connection: Connection, subject: string, data: Uint8Array, contentType: string): Promise<void> {
  const headers = [
    ['content-type', contentType],
    ['trace', 't1'],
  ] as const
  await publishOnce(connection, { subject, headers, data })
}

async function lettersOf(connection: Connection, stream: StreamDeclaration): Promise<DeadLetter[]> {
  const stored = await readAll(connection, 'DEAD_LETTERS', [`millrace.dead.${stream.name}.>`])
  return stored.map(readDeadLetter)
}

/** Values as the events of one pack; the third has lost its data. */
function packOf(values: readonly number[]): Uint8Array {
  const events = values.map((value, at) =>
    completeDraft(Reading({ machine: `m${at}`, value }), { id: `e${at}`, source: '/test', time: 1_000 }),
  )
  const list = JSON.parse(Buffer.from(packEvents(events).data).toString()) as Record<string, unknown>[]
  delete list[2]?.['data']
  return Buffer.from(JSON.stringify(list))
}

for (const onPoison of ['continue', 'park'] as const)
  test(`of a pack it keeps the event at fault and none of the others, with ${onPoison}`, async () => {
    const connection = await sharedConnection()
    const stream = await freshStream(connection)
    await publish(connection, `${stream.root}.k.${Reading.type}`, packOf([1, 2, 3, 4, 5]), PACK)
    const { run, failures } = await start(connection, failing(stream, stream, onPoison))
    await eventually('it is read', () => run.position >= 1 || failures.length > 0 || undefined)
    await run.stop()
    assert.equal(failures, [])
    const letters = await lettersOf(connection, stream)
    assert.equal(
      letters.map(({ code, member, events, id, key, sequence }) => [code, member, events, id, key, sequence]),
      [
        ['TURN_FAILED', 1, 1, 'e1', 'm1', 1],
        ['EVENT_DATA_INVALID', 2, 1, 'e2', 'm2', 1],
        ['TURN_FAILED', 3, 1, 'e3', 'm3', 1],
      ],
    )
    for (const { headers, data } of letters) {
      assert.equal(new Map(headers).get('trace'), 't1', 'and what else the message says')
      assert.is(decodeMessages(headersOf(headers), data).length, 1, 'it can be published as it is')
    }
    const context = cliContext()
    await showCommand(context, letters[0]?.number ?? 0)
    assert.match(context.out.text(), /event {6}number 2 of the message/)
  })

test('of a merged message it names the stream, sequence and subject of the original, and there is one, whoever meets it', async () => {
  const connection = await sharedConnection()
  const [one, two, to] = declareInputs({ partitions: 4 }, { partitions: 2 }, {}) as [
    StreamDeclaration,
    StreamDeclaration,
    StreamDeclaration,
  ]
  const merge = mergeOf(pipelineName(), [one, two])
  await apply(connection, one, two, to, merge)
  await publish(connection, `${two.root}.first.other.type`, Buffer.from('{}'), STRUCTURED)
  await publish(connection, `${two.root}.k.${Reading.type}`, Buffer.from('{'), STRUCTURED)
  await merged(connection, merge, 1)
  await publish(connection, `${one.root}.k.${Reading.type}`, packOf([2, 1, 1]), PACK)
  await merged(connection, merge, 2)
  const original = (await readAll(connection, two.name)).at(-1)
  const running = [
    await start(connection, failing(merge, to)),
    await start(connection, contractsProcessor(two)),
    await start(connection, contractsProcessor(one)),
  ]
  for (const [at, last] of [2, 2, 1].entries())
    await eventually('it is read', () => (running[at]?.run.position ?? 0) >= last || undefined)
  for (const { run, failures } of running) {
    assert.equal(failures, [])
    await run.stop()
  }
  assert.equal(await lettersOf(connection, merge), [])
  const said = ({ stream, sequence, subject, processor, member }: DeadLetter) =>
    [stream, sequence, subject, processor, member] as const
  const ofTwo = (await lettersOf(connection, two)).filter(({ sequence }) => sequence === 2)
  assert.equal(ofTwo.map(said), [[two.name, 2, original?.subject, 'contract', undefined]])
  const [stored] = await readAll(connection, one.name)
  assert.equal(
    (await lettersOf(connection, one)).map(said).sort((a, b) => Number(a[4]) - Number(b[4])),
    [
      [one.name, 1, stored?.subject, 'pipeline-failing-continue', 0],
      [one.name, 1, stored?.subject, 'contract', 2],
    ],
  )
})

const PACK = 'application/cloudevents-batch+json'
const STRUCTURED = 'application/cloudevents+json'

test.run()
