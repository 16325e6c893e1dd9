// Numbered messages: published in order, they show what was lost, doubled or moved.
import type { Connection } from '../../src/broker/connection.ts'
import type { StreamDeclaration } from '../../src/broker/define-stream.ts'
import type { StoredMessage } from '../../src/broker/stored-message.ts'
import { storedFilter } from '../../src/event/subject.ts'
import type { WireMessage } from '../../src/event/wire.ts'
import { isFault, type MillraceError } from '../../src/error/millrace-error.ts'
import { readAll } from './events.ts'

/** Message `n` of a stream; of seven keys, each with a type of its own, so that several stored subjects take part. */
export function numbered(stream: StreamDeclaration, n: number): WireMessage {
  return {
    subject: `${stream.root}.k${n % 7}.counted.t${n % 7}`,
    headers: [['Nats-Msg-Id', `${stream.name}-${n}`]],
    data: Buffer.from(String(n)),
  }
}

export function upTo(count: number, from = 0): number[] {
  return Array.from({ length: count }, (_, i) => from + i)
}

export function numberOf({ data }: Pick<StoredMessage, 'data'>): number {
  return Number(Buffer.from(data).toString())
}

/** The numbers in a stream, in log order. */
export async function readNumbers(connection: Connection, stream: StreamDeclaration): Promise<number[]> {
  return (await readAll(connection, stream.name, [storedFilter(stream.root, 'counted.*')])).map(numberOf)
}

/** The fault that a promise rejects with; anything else is an error of the test. */
export async function faultOf(promise: Promise<unknown>): Promise<MillraceError> {
  try {
    await promise
  } catch (error) {
    if (isFault(error)) return error
    throw error
  }
  throw new Error('nothing was thrown')
}
