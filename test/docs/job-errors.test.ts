// The table of errors in the guide to jobs has all codes of the room, and no other.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { JOB_ERRORS } from '../../src/error/codes/jobs.ts'
import { readText } from '../support/repository.ts'

const test = suite('docs/guides/ai-jobs.md: errors')

/** Codes in the second column of the table. */
function codesIn(guide: string): readonly string[] {
  const [, section = ''] = guide.split('## When something is wrong')
  const rows = section.split('\n').filter((line) => line.startsWith('|'))
  return rows
    .slice(2)
    .flatMap((row) => [...(row.split('|')[2] ?? '').matchAll(/`([A-Z_]+)`/g)].map(([, code = '']) => code))
}

test('every code of jobs, models, prices and prompts stands in it once, and none that is not', () => {
  assert.equal(codesIn(readText('docs/guides/ai-jobs.md')).toSorted(), Object.keys(JOB_ERRORS).toSorted())
})

test.run()
