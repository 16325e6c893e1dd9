// An aggregate of tests, and a hand that writes its records as an actor does.
import { z } from 'zod'
import { snapshotMessage } from '../../src/actor/aggregate-snapshot.ts'
import type { AggregateShape, Fold } from '../../src/actor/aggregate-shape.ts'
import { encodeRecord, type RecordToWrite } from '../../src/actor/encode-record.ts'
import type { AggregatePlace } from '../../src/actor/read-records.ts'
import { rehydrate, type LogPoint, type Rehydrated } from '../../src/actor/rehydrate.ts'
import { commandMark, remember } from '../../src/actor/remembered.ts'
import { publishBatch } from '../../src/broker/batch.ts'
import type { Connection } from '../../src/broker/connection.ts'
import type { StreamDeclaration } from '../../src/broker/define-stream.ts'
import { systemClock } from '../../src/time/system-clock.ts'
import { Deposited, effect, Noted, registry } from './support.ts'

export interface Account {
  readonly sum: number
  readonly notes: readonly unknown[]
}

export const account: AggregateShape = {
  name: 'account',
  version: 2,
  schema: z.object({ sum: z.number(), notes: z.array(z.unknown()) }),
  events: [Deposited, Noted],
  initial: () => ({ sum: 0, notes: [] }),
}

export const fold: Fold = ({ state }, events) => {
  let { sum, notes } = state as Account
  for (const event of events) {
    if (Deposited.is(event)) sum += event.data.amount
    if (Noted.is(event)) notes = [...notes, event.data.text]
  }
  return { sum, notes }
}

/** One account, written decision by decision. */
export class Hand {
  readonly connection: Connection
  readonly stream: StreamDeclaration
  readonly id: string
  version: number
  state: Account = { sum: 0, notes: [] }
  commands = 0
  remembered = ''

  constructor(connection: Connection, stream: StreamDeclaration, id = '42', version = 0) {
    this.connection = connection
    this.stream = stream
    this.id = id
    this.version = version
  }

  get place(): AggregatePlace {
    const { connection, stream, id } = this
    return { connection, clock: systemClock, stream, type: 'account', id, registry }
  }

  load(upTo?: LogPoint, actor = account): Promise<Rehydrated> {
    return rehydrate(this.place, { actor, fold, upTo })
  }

  /** Decides: deposits of these amounts, or a rejection when there are none. @returns the sequence of its record */
  async decide(
    amounts: readonly number[],
    { snapshot = false, sv = 2, ...more }: Partial<RecordToWrite> & { snapshot?: boolean; sv?: number } = {},
  ): Promise<number> {
    const messages = [...this.messages(amounts, { sv, ...more })]
    const { stream, id, connection } = this
    const frame = { sv, v: this.version, s: this.state, c: this.remembered }
    if (snapshot) messages.push(snapshotMessage(stream.name, 'account', id, frame, connection.server.maxPayload))
    const { last } = await publishBatch(connection, messages)
    return snapshot ? last - 1 : last
  }

  messages(amounts: readonly number[], { sv = 2, ...more }: Partial<RecordToWrite> & { sv?: number } = {}) {
    const command = `c${(this.commands += 1)}`
    const events = amounts.map((amount) => Deposited({ amount }))
    const before = this.version
    this.state = { ...this.state, sum: amounts.reduce((sum, one) => sum + one, this.state.sum) }
    this.version += events.length
    this.remembered = remember(this.remembered, commandMark(command), 32)
    const rejected = events.length === 0 ? { rejected: { code: 'no', message: 'no' }, correlationId: 'talk' } : {}
    return encodeRecord({
      type: 'account',
      id: this.id,
      before,
      effects: [effect(command, events, rejected)],
      frame: { sv, v: this.version, s: this.state, c: this.remembered },
      root: this.stream.root,
      maxPayload: this.connection.server.maxPayload,
      ...more,
    }).messages
  }
}
