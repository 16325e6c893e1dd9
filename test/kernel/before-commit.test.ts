// What has to be in another place before a position is stored.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { freshStream, sharedConnection } from '../support/broker.ts'
import { readAll } from '../support/events.ts'
import { committing, storedRecord, turns } from './committing.ts'

const test = suite('before a commit')

test('VW1 rows come after the dead letters of the turns, and before the position', async () => {
  const connection = await sharedConnection()
  const stream = await freshStream(connection)
  const seen: unknown[] = []
  const letters = async (): Promise<number> =>
    (await readAll(connection, 'DEAD_LETTERS')).filter(({ subject }) => subject.includes(`.${stream.name}.`)).length
  const before = async (position: number): Promise<void> => {
    seen.push([position, await letters(), (await storedRecord(connection, stream))?.position])
  }
  const reason = { processor: 'contract', code: 'EVENT_DATA_INVALID', detail: 'no number', issues: [] }
  const { committer } = await committing(connection, stream, 'one', undefined, { before })
  committer.add([...turns(stream, 1, 0, 0, { deadLetters: [reason] }), ...turns(stream, 1, 1, 0)])
  await committer.flush(false)
  assert.equal(seen, [[2, 1, 0]])
  assert.is((await storedRecord(connection, stream))?.position, 2)
})

test('VW1 a position is not stored when its rows cannot be', async () => {
  const connection = await sharedConnection()
  const stream = await freshStream(connection)
  const before = (): Promise<void> => Promise.reject(new Error('no place for rows'))
  const { committer, failures } = await committing(connection, stream, 'one', undefined, { before })
  committer.add(turns(stream, 3, 0, 1))
  await committer.flush(false).catch(() => undefined)
  assert.is(failures.length, 1)
  assert.is((await storedRecord(connection, stream))?.position, 0)
})

test.run()
