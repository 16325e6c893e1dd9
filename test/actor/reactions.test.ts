// Events of other aggregates become commands, on a real server.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { z } from 'zod'
import type { ActorDeclaration } from '../../src/actor/actor-options.ts'
import { commandStream } from '../../src/actor/command-stream.ts'
import { reactionProcessor, reactionSources } from '../../src/actor/reaction-processor.ts'
import { on } from '../../src/actor/reaction.ts'
import { applyStreams } from '../../src/broker/apply-streams.ts'
import type { Connection } from '../../src/broker/connection.ts'
import type { StreamDeclaration } from '../../src/broker/define-stream.ts'
import { planStreams } from '../../src/broker/plan-streams.ts'
import { isFault } from '../../src/error/millrace-error.ts'
import { defineEvent } from '../../src/event/contract.ts'
import { decodeEvent } from '../../src/event/decode-event.ts'
import type { StoredEvent } from '../../src/event/event.ts'
import { createRegistry } from '../../src/event/registry.ts'
import { storedFilter } from '../../src/event/subject.ts'
import type { Processor } from '../../src/kernel/processor.ts'
import { start } from '../kernel/running.ts'
import { connectTo, eventually, freshStream, sharedConnection } from '../support/broker.ts'
import { publishAll, readAll } from '../support/events.ts'
import { sharedServer } from '../support/nats.ts'
import { order, ParcelHandedOver, ShipOrder } from './sample-actors.ts'

const test = suite('reactions')

const Noted = defineEvent('parcel.noted', { data: z.object({ parcel: z.string() }), key: ({ parcel }) => parcel })
const registry = createRegistry([...order.commands, ...order.events, ParcelHandedOver, Noted])

interface Two {
  readonly source: StreamDeclaration
  readonly commands: StreamDeclaration
}

async function twoStreams(connection: Connection): Promise<Two> {
  const source = await freshStream(connection)
  const commands = commandStream(await freshStream(connection))
  await applyStreams(connection, await planStreams(connection, [commands]))
  return { source, commands }
}

function reacting(
  { source, commands }: Two,
  react: (event: StoredEvent) => unknown = ({ data }) => ShipOrder({ orderId: (data as { orderId: string }).orderId }),
) {
  const reaction = on(ParcelHandedOver, { stream: source.name }, react as never)
  return reactionProcessor({ actor: { ...order, reactions: [reaction] } as ActorDeclaration, source, commands })
}

async function commandsOf(connection: Connection, { commands: { name, root } }: Two): Promise<StoredEvent[]> {
  const messages = await readAll(connection, name, [storedFilter(root)])
  return messages.map(({ headers, data, sequence, storedAt }) => {
    const decoded = decodeEvent(registry, headers, data, { stream: name, sequence, storedAt })
    if (decoded.kind !== 'event') throw new Error(decoded.detail)
    return decoded.event
  })
}

/** Its connection is closed under it. */
async function crashAfter(processor: Processor, turns: number): Promise<void> {
  const connection = await connectTo((await sharedServer()).url)
  const { run } = await start(connection, processor, { registry })
  await eventually('committed', () => run.counts.turns >= turns || undefined)
  await connection.close()
}

const handedOver = (parcel: string, orderId: string) => ParcelHandedOver({ parcel, orderId })

test('an event becomes the command of its reaction, which says what it follows from', async () => {
  const connection = await sharedConnection()
  const streams = await twoStreams(connection)
  assert.equal(
    reactionSources({ ...order, reactions: [on(Noted, { stream: 'A' }, () => undefined as never)] } as never),
    ['A'],
  )
  const { run } = await start(connection, reacting(streams), { registry })
  await publishAll(connection, streams.source, [Noted({ parcel: 'p1' }), handedOver('p1', 'order 7')])
  await eventually('one turn', () => run.counts.outputs === 1 || undefined)
  await run.stop()
  const [command, ...more] = await commandsOf(connection, streams)
  assert.is(more.length, 0)
  assert.is(command?.type, 'order.ship')
  assert.is(command?.key, 'order 7')
  assert.ok(command?.causationId !== undefined && command.causationId === command.correlationId)
})

test('RX1 each event leads to its commands once, in the order of its key, though the process is killed', async () => {
  const connection = await sharedConnection()
  const streams = await twoStreams(connection)
  const events = Array.from({ length: 300 }, (_, at) => handedOver(`p${at % 7}`, `o${at}`))
  await publishAll(connection, streams.source, events.slice(0, 150))
  const processor = reacting(streams)
  await crashAfter(processor, 40)
  await publishAll(connection, streams.source, events.slice(150))
  await crashAfter(processor, 40)
  const { run } = await start(connection, processor, { registry })
  const all = await eventually('all', async () => {
    const commands = await commandsOf(connection, streams)
    return commands.length >= 300 ? commands : undefined
  })
  await run.stop()
  assert.is(all.length, 300)
  assert.is(new Set(all.map(({ id }) => id)).size, 300)
  const orders = all.map(({ key }) => Number(key?.slice(1)))
  for (let parcel = 0; parcel < 7; parcel++) {
    const own = orders.filter((at) => at % 7 === parcel)
    assert.equal(
      own,
      own.toSorted((one, other) => one - other),
    )
  }
})

test('a reaction may make no command or several; one that cannot be taken makes its event a dead letter alone', async () => {
  const connection = await sharedConnection()
  const streams = await twoStreams(connection)
  const processor = reacting(streams, ({ data }) => {
    const { orderId } = data as { orderId: string }
    if (orderId === 'none') return undefined
    if (orderId === 'throws') throw new Error('no')
    if (orderId === 'later') return Promise.resolve()
    if (orderId === 'foreign') return handedOver('p', 'x')
    if (orderId === 'nonsense') return 7
    return [ShipOrder({ orderId }), ShipOrder({ orderId: `${orderId}b` })]
  })
  const logic = processor.start({ kind: 'fresh' }, () => undefined)
  const event = (orderId: string): StoredEvent =>
    ({ ...handedOver('p', orderId), id: 'e', sequence: 1, stream: streams.source.name, source: '/t', time: 1 }) as never
  const refused = (orderId: string, code: 'REACTION_FAILED' | 'ACTOR_ASYNC'): void =>
    assert.throws(
      () => logic.turn(event(orderId), () => undefined),
      (error: unknown) => isFault(error, code),
      orderId,
    )
  refused('throws', 'REACTION_FAILED')
  refused('later', 'ACTOR_ASYNC')
  refused('foreign', 'REACTION_FAILED')
  refused('nonsense', 'REACTION_FAILED')
  const { run } = await start(connection, processor, { registry })
  await publishAll(
    connection,
    streams.source,
    ['none', 'throws', 'foreign', 'o1'].map((orderId) => handedOver('p', orderId)),
  )
  await eventually('handled', () => run.counts.turns === 4 || undefined)
  await run.stop()
  assert.equal(
    (await commandsOf(connection, streams)).map(({ key }) => key),
    ['o1', 'o1b'],
  )
  assert.is(run.counts.deadLetters, 2)
})

test.run()
