import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { freshStream, sharedConnection } from '../support/broker.ts'
import { committing, storedRecord, turns } from './committing.ts'

const test = suite('the first snapshot')

test('K1 in a stream that deletes by size a snapshot comes first, so that no journal can go without one', async () => {
  const connection = await sharedConnection()
  for (const bounded of [false, true]) {
    const stream = await freshStream(connection)
    const { committer } = await committing(connection, stream, 'one', () => ({ some: 'state' }), { bounded })
    committer.add(turns(stream, 3))
    await committer.flush(false)
    assert.is((await storedRecord(connection, stream))?.snapshot?.position, bounded ? 3 : undefined)
    committer.stopTending()
  }
})

test.run()
