import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { publishOnce } from '../../src/broker/publish-once.ts'
import { redriveSubject } from '../../src/broker/system-subject.ts'
import { inputOfStream } from '../../src/cli/verify/verify-input.ts'
import { processorId } from '../../src/kernel/processor.ts'
import { systemClock } from '../../src/time/system-clock.ts'
import { tally, work } from '../kernel/parking/tally.ts'
import { freshStream, sharedConnection } from '../support/broker.ts'
import { publishAll } from '../support/events.ts'

const test = suite('what a verification reads')

test('of a stream, the events of a processor and what came back to its units, in the order of the log, and nothing of others', async () => {
  const connection = await sharedConnection()
  const stream = await freshStream(connection)
  const processor = tally(stream, 'keyed')
  const back = (name: string, partition: string) =>
    publishOnce(connection, {
      subject: redriveSubject(stream.name, name, partition),
      headers: [],
      data: Buffer.from('{}'),
    })
  await publishAll(connection, stream, [work('a', 1)])
  await back(processorId(processor), '2')
  await back('pipeline-other', '2')
  await publishAll(connection, stream, [work('a', 2)])
  await back(processorId(processor), '0')
  const progress = { update: () => undefined, clear: () => undefined, end: () => undefined }
  const signal = new AbortController().signal
  const { messages } = await inputOfStream({ clock: systemClock, signal }, connection, processor, {}, progress)
  assert.equal(
    messages.map(({ sequence, subject }) => [sequence, subject.startsWith('millrace.')]),
    [
      [1, false],
      [2, true],
      [4, false],
      [5, true],
    ],
  )
})

test.run()
