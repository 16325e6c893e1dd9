import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { driftNote, liveNotes } from '../../src/cli/backtest/deployed-state.ts'

const test = suite('how a rule is deployed, for a backtest')

const file = { rule: { name: 'pair' }, file: 'pair.yaml', text: 'a' } as never
const now = (text: string) => ({ text, revision: 3 }) as never
const work = (more: object) =>
  ({ rule: 'pair', revision: 3, state: 'at-work', since: 5, problem: null, ...more }) as never

test('a file that is not what is deployed is told, and how to take the other', () => {
  assert.is(driftNote(file, { now: undefined, work: undefined }), undefined)
  assert.is(driftNote(file, { now: now('a'), work: undefined }), undefined)
  assert.match(driftNote(file, { now: now('b'), work: undefined }) ?? '', /that of pair\.yaml; deployed is revision 3/)
})

test('why the live rule need not have found the same', () => {
  const notes = (deployed: string, report: unknown, first = 10) =>
    liveNotes(file, { now: now(deployed), work: report as never }, first)
  assert.equal(notes('a', work({})), [])
  assert.match(notes('a', work({ state: 'paused' })).join(), /pair is paused: it has seen nothing after sequence 5/)
  assert.match(notes('a', work({ state: 'broken', problem: 'full' })).join(), /pair is broken and sees nothing: full/)
  assert.match(notes('a', work({ since: 20 })).join(), /as it is since sequence 20 only/)
  assert.match(notes('b', work({})).join(), /live is revision 3, whose text is not that of pair\.yaml/)
  assert.match(notes('b', undefined).join(), /no process has taken pair up yet/)
})

test.run()
