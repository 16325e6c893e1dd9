import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { changePartitioning } from '../../src/broker/partitioning.ts'
import { claim } from '../../src/kernel/claim.ts'
import { freshStream, sharedConnection } from '../support/broker.ts'
import { faultOf } from '../support/numbered.ts'
import { windowProcessor } from './window-logic.ts'

const test = suite('units that a processor had before')

test('one unit for all partitions does not begin beside units of single partitions, nor they beside it', async () => {
  const connection = await sharedConnection()
  for (const [first, then, detail] of [
    ['2', 'all', /has run as a unit of its own for partition 2, now it is one unit for all$/],
    ['all', '2', /has run as one unit for all partitions, now .* has 4, each with a unit of its own$/],
  ] as const) {
    const processor = windowProcessor(await freshStream(connection), 'keyed')
    await claim(connection, processor, first, 'one')
    const error = await faultOf(claim(connection, processor, then, 'two'))
    assert.is(error.code, 'PARTITIONS_CHANGED')
    assert.match(error.detail, detail)
    assert.match(error.advice, /millrace streams repartition STREAM --to N/)
    await claim(connection, processor, first, 'two') // as it was, it goes on
  }
})

test('a unit does not begin where the stream has fewer partitions than its processor has had units', async () => {
  const connection = await sharedConnection()
  const stream = await freshStream(connection)
  await claim(connection, windowProcessor(stream, 'keyed'), '3', 'one')
  await changePartitioning(connection, stream, 2) // by somebody who moves nothing
  const fewer = windowProcessor({ ...stream, partitions: 2 }, 'keyed')
  const error = await faultOf(claim(connection, fewer, '0', 'two'))
  assert.is(error.code, 'PARTITIONS_CHANGED')
  assert.match(error.detail, /has run as a unit of its own for partition 3, now .* has 2, each with a unit of its own$/)
})

test.run()
