import * as fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { BatchQueue } from '../../src/broker/batch-queue.ts'
import { expectLastSequence } from '../../src/broker/batch.ts'
import type { WireMessage } from '../../src/event/wire.ts'
import { freshStream, sharedConnection } from '../support/broker.ts'
import { readAll } from '../support/events.ts'

const test = suite('the queue of batches against groups stored one by one')

interface Asked {
  readonly writer: number
  readonly size: number
  /** Added to the sequence that is right: 0 is no conflict. undefined expects nothing. */
  readonly off: number | undefined
  /** Turns of the event loop before it is asked for. */
  readonly pause: number
}

const asked: fc.Arbitrary<Asked> = fc.record({
  writer: fc.nat(5),
  size: fc.oneof({ weight: 3, arbitrary: fc.constant(1) }, { weight: 5, arbitrary: fc.integer({ min: 2, max: 9 }) }),
  off: fc.oneof(
    { weight: 6, arbitrary: fc.constant(0) },
    { weight: 1, arbitrary: fc.constant(1) },
    { weight: 1, arbitrary: fc.constant(undefined) },
  ),
  pause: fc.oneof({ weight: 4, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.nat(3) }),
})

test('Q1 Q2 Q4 random groups with random conflicts leave the same stream and the same answers', async () => {
  const connection = await sharedConnection()
  const stream = await freshStream(connection)
  const queue = new BatchQueue(connection, { mostBytes: 60 })
  let last = 0
  let run = 0
  const expected: string[] = []
  await fc.assert(
    fc.asyncProperty(fc.array(asked, { minLength: 1, maxLength: 12 }), async (groups) => {
      run += 1
      const subjects = new Map<string, number>()
      const answers: (number | string)[] = []
      const storing: Promise<number | string>[] = []
      for (const [at, { writer, size, off, pause }] of groups.entries()) {
        // several groups of one writer may be in the queue: the last sequence is then one that the model foresees
        const subject = `millrace.${stream.name}.run${run}.w${writer}`
        const headers = off === undefined ? [] : [expectLastSequence((subjects.get(subject) ?? 0) + off)]
        const messages: WireMessage[] = Array.from({ length: size }, (_, part) => ({
          subject: part === size - 1 ? subject : `millrace.${stream.name}.outputs`,
          headers: part === size - 1 ? headers : [],
          data: Buffer.from(`${run}-${at}-${part}`),
        }))
        if (off === 1) answers.push('SEQUENCE_CONFLICT')
        else {
          last += size
          subjects.set(subject, last)
          answers.push(last)
          expected.push(...messages.map(({ data }) => Buffer.from(data).toString()))
        }
        for (let turn = 0; turn < pause; turn++) await new Promise((resolve) => setImmediate(resolve))
        storing.push(queue.publish(messages).catch((error) => error.code as string))
      }
      assert.equal(await Promise.all(storing), answers)
    }),
    { numRuns: 60, endOnFailure: true },
  )
  const stored = await readAll(connection, stream.name)
  assert.equal(
    stored.map(({ data }) => Buffer.from(data).toString()),
    expected,
  )
})

test.run()
