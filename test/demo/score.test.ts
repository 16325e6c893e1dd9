import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { precisionRecall } from '../../demo/score.ts'

const test = suite('score')

const label = (kind: string, cardId: string, from: number, to: number) => ({ kind, cardId, from, to })
const match = (rule: string, key: string, from: number, to: number) => ({ rule, key, from, to })

test('a match is right when kind, card and time agree', () => {
  const labels = [label('velocity', 'a', 10, 20)]
  for (const wrong of [
    match('velocity', 'b', 10, 20),
    match('velocity', 'a', 0, 9),
    match('velocity', 'a', 21, 30),
    match('refund-abuse', 'a', 10, 20),
  ]) {
    const scores = precisionRecall([wrong], labels)
    assert.is(scores['velocity']?.falseNegatives, 1)
    assert.is(scores[wrong.rule]?.falsePositives, 1)
  }
  for (const right of [match('velocity', 'a', 0, 10), match('velocity', 'a', 20, 30), match('velocity', 'a', 12, 13)])
    assert.equal(precisionRecall([right], labels)['velocity'], {
      truePositives: 1,
      falsePositives: 0,
      falseNegatives: 0,
      precision: 1,
      recall: 1,
    })
})

test('several matches of one label count once, one match may find several labels', () => {
  const labels = [label('k', 'a', 0, 10), label('k', 'a', 20, 30)]
  assert.is(precisionRecall([match('k', 'a', 0, 4), match('k', 'a', 6, 9)], labels)['k']?.truePositives, 1)
  assert.is(precisionRecall([match('k', 'a', 0, 4), match('k', 'a', 6, 9)], labels)['k']?.precision, 1)
  assert.is(precisionRecall([match('k', 'a', 5, 25)], labels)['k']?.truePositives, 2)
})

test('precision is the right part of what was reported, recall the reported part of what was there', () => {
  const labels = ['a', 'b', 'c', 'd'].map((card) => label('k', card, 0, 10))
  const matches = ['a', 'b', 'x'].map((card) => match('k', card, 5, 6))
  assert.equal(precisionRecall(matches, labels)['k'], {
    truePositives: 2,
    falsePositives: 1,
    falseNegatives: 2,
    precision: 2 / 3,
    recall: 1 / 2,
  })
})

test('nothing reported is no mistake, and nothing there is nothing missed', () => {
  assert.is(precisionRecall([], [label('k', 'a', 0, 1)])['k']?.precision, 1)
  assert.is(precisionRecall([], [label('k', 'a', 0, 1)])['k']?.recall, 0)
  assert.is(precisionRecall([match('k', 'a', 0, 1)], [])['k']?.recall, 1)
})

test.run()
