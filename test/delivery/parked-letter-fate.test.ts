// What has become of the event of a letter whose key was parked, where many letters came after it.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Connection } from '../../src/broker/connection.ts'
import { publishOnce } from '../../src/broker/publish-once.ts'
import { deadLetterSubject } from '../../src/broker/system-subject.ts'
import { parkedLetterFate } from '../../src/delivery/letters/parked-letter-fate.ts'
import type { LetterFate } from '../../src/delivery/letters/letter-fate.ts'
import { systemClock } from '../../src/time/system-clock.ts'
import { sharedConnection } from '../support/broker.ts'
import { place } from './running-handlers.ts'

const test = suite('fates of letters of parked keys')
const PROCESSOR = 'handler-orderly'

test('LT5 a letter with more letters after it than are looked at stays open; its event is found where they are few', async () => {
  const connection = await sharedConnection()
  const { stream } = await place(connection)
  const sent: number[] = []
  for (const [at, id] of ['first', 'second', 'third', 'first', 'fourth'].entries())
    sent.push(await letter(connection, stream.name, at + 1, id))
  const fate = (number: number, id: string, mostLetters: number): Promise<LetterFate> => {
    const unit = { processor: PROCESSOR, partition: '0', input: stream.name, output: stream.name, merged: false }
    const { signal } = new AbortController()
    const ports = { connection, clock: systemClock, signal, mostLetters }
    return parkedLetterFate(ports, { unit, key: 'k' }, { number, id })
  }
  const [first = 0, second = 0, , again = 0] = sent
  assert.equal(await fate(first, 'first', 10), { kind: 'again', next: again })
  assert.equal(await fate(second, 'second', 10), { kind: 'handled' })
  assert.equal(await fate(second, 'second', 2), { kind: 'parked' })
  // it is the third one after it
  assert.equal(await fate(first, 'first', 2), { kind: 'parked' })
})

/** @returns its number */
async function letter(connection: Connection, stream: string, sequence: number, id: string): Promise<number> {
  const subject = deadLetterSubject(stream, sequence, PROCESSOR)
  const receipt = await publishOnce(connection, { subject, headers: [['ce-id', id]], data: Buffer.from('{}') })
  return receipt.sequence
}

test.run()
