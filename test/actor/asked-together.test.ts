import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { AskedTogether } from '../../src/actor/asked-together.ts'

const test = suite('questions that many ask at once')

test('who asks while an answer is on its way gets the next one, together with others who do', async () => {
  const answers: ((answer: number) => void)[] = []
  const asked = new AskedTogether(() => new Promise<number>((resolve) => answers.push(resolve)))
  const first = asked.ask('a')
  const later = [asked.ask('a'), asked.ask('a')]
  const other = asked.ask('b')
  assert.is(answers.length, 2, 'one of each key is on its way')
  answers[0]?.(1)
  answers[1]?.(2)
  assert.equal([await first, await other], [1, 2])
  await Promise.resolve()
  assert.is(answers.length, 3, 'both of the others share one')
  const last = asked.ask('a')
  answers[2]?.(3)
  assert.equal(await Promise.all(later), [3, 3])
  await Promise.resolve()
  answers[3]?.(4)
  assert.is(await last, 4)
})

test('an answer that fails is not that of the next', async () => {
  let tries = 0
  const asked = new AskedTogether(async () => {
    if ((tries += 1) === 1) throw new Error('away')
    return tries
  })
  const [first, second] = [asked.ask('a').catch(String), asked.ask('a')]
  assert.equal([await first, await second], ['Error: away', 2])
})

test.run()
