import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { checkCheckpoints, checkOperators } from '../ops-property.ts'

const test = suite('random chains of durable operators')

test('put out what chains of the RxJS operators of those names do, at the same times', () => {
  const compared = checkOperators(600)
  assert.ok(compared > 10_000, `${compared} compared`)
})

test('Z1 D1 crashed anywhere, mostly asleep and watched by twins, go on as if they had never stopped', () => {
  const { crashes, outputs } = checkCheckpoints(150)
  assert.ok(crashes > 300, `${crashes} crashes`)
  assert.ok(outputs > 1_000, `${outputs} outputs`)
})

test.run()
