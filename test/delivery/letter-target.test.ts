import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { DeadLetter } from '../../src/delivery/letters/dead-letter.ts'
import { targetOf } from '../../src/delivery/letters/letter-target.ts'

const test = suite('where a dead letter is sent back to')

const of = (processor: string): string => {
  const letter = { processor, stream: 'S', subject: 's.1.x', parkedKey: undefined } as DeadLetter
  const target = targetOf(letter, 'k', { processors: [], handlers: ['mail'], streams: [] })
  return target.kind === 'none' ? target.why : target.kind
}

test('24 what cannot be sent back says why, and what to do instead', () => {
  assert.is(of('handler-mail'), 'handler')
  assert.is(of('handler-gone'), 'handler gone is not deployed')
  assert.is(of('pipeline-gone'), 'pipeline-gone is not deployed')
  for (const [processor, way] of [
    ['rule-velocity', /other rules/],
    ['sink-archive', /a new name/],
    ['source-api', /send it again/],
    ['outbox-orders', /the row/],
    ['schedule-morning', /millrace schedules run/],
  ] as const)
    assert.match(of(processor), way)
})

test.run()
