import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Log } from '../../src/observe/log.ts'
import { ProcessorLog } from '../../src/kernel/processor-log.ts'
import type { Logic } from '../../src/kernel/processor.ts'

const test = suite('what a processor says in the log')

test('a warning of what was passed over names the rules that did it, once', () => {
  const said: unknown[] = []
  const log = { warn: (fields: unknown) => said.push(fields) } as unknown as Log
  const own = new ProcessorLog(log, { kind: 'rules', name: 'T' } as never)
  const logic = {
    notices: { droppedDuplicates: 3, late: 0 },
    noticedBy: (name: string) => (name === 'droppedDuplicates' ? ['pair', 'unpaid'] : []),
  } as unknown as Logic
  own.told(logic)
  own.told(logic)
  assert.equal(said, [{ processor: 'rules-T', what: 'droppedDuplicates', count: 3, rules: 'pair, unpaid' }])
})

test.run()
