import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { checkKeyed } from '../keyed-property.ts'

const test = suite('random keyed pipelines, crashed anywhere')

test('E1 restored from the changes of its commits and a slow rewriting, it goes on as if never stopped', () => {
  const { crashes, outputs } = checkKeyed(400)
  assert.ok(crashes > 1_000, `${crashes} crashes`)
  assert.ok(outputs > 5_000, `${outputs} outputs`)
})

test.run()
