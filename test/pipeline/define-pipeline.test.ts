import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { filter } from 'rxjs'
import { definePipeline, type PipelineOptions } from '../../src/pipeline/define-pipeline.ts'
import { pipelineProcessor } from '../../src/pipeline/pipeline-processor.ts'
import { defineStream } from '../../src/broker/define-stream.ts'
import { isFault } from '../../src/error/millrace-error.ts'
import { High, Reading } from '../support/kill-fixture.ts'

const test = suite('a pipeline declaration')

type Options = PipelineOptions<readonly [typeof Reading]>

const good: Options = {
  name: 'high',
  version: 1,
  from: { stream: 'READINGS', events: [Reading] },
  to: { stream: 'ALARMS', events: [High] },
  recovery: { mode: 'stateless' },
  pipeline: (readings$) => readings$.pipe(filter(() => false)),
}

const refused: readonly [what: string, change: Partial<Options>, detail: RegExp][] = [
  ['an empty name', { name: '' }, /name may have/],
  ['a name with a dot, which would be two subject tokens', { name: 'a.b' }, /a\.b: name may have/],
  ['a name with a wildcard', { name: 'a*' }, /name may have/],
  ['a name of 65 letters', { name: 'a'.repeat(65) }, /at most 64/],
  ['version 0', { version: 0 }, /high: version 0 must be/],
  ['a version that is not whole', { version: 1.5 }, /version 1\.5 must be/],
  ['a version that is no number', { version: Number.NaN }, /version NaN must be/],
  ['no events to read', { from: { stream: 'READINGS', events: [] as never } }, /from\.events is empty/],
  ['no events to put out', { to: { stream: 'ALARMS', events: [] } }, /to\.events is empty/],
  ['an unknown recovery', { recovery: { mode: 'hope' as 'stateless' } }, /recovery mode "hope" is not known/],
  [
    'what it puts out being what it reads',
    { to: { stream: 'READINGS', events: [High, Reading] } },
    /puts out what it reads: reading\.taken/,
  ],
]

for (const [what, change, detail] of refused)
  test(`refuses ${what}`, () => {
    try {
      definePipeline({ ...good, ...change })
    } catch (error) {
      assert.ok(isFault(error, 'PIPELINE_INVALID'), String(error))
      assert.match(error.detail, detail)
      return
    }
    assert.unreachable('it was taken')
  })

test('takes the longest name, and an event that goes from one stream to another', () => {
  const declared = definePipeline({ ...good, name: 'A_-9'.repeat(16), to: { stream: 'ALARMS', events: [Reading] } })
  assert.is(declared.kind, 'pipeline')
  assert.ok(Object.isFrozen(declared))
})

test('becomes a processor that reads its types only and has no memory', () => {
  const from = defineStream({ name: 'READINGS', root: 'readings' })
  const to = defineStream({ name: 'ALARMS', root: 'alarms' })
  const { kind, name, version, memory, from: reads, to: writes } = pipelineProcessor(definePipeline(good), { from, to })
  assert.equal({ kind, name, version, memory }, { kind: 'pipeline', name: 'high', version: '1', memory: 'none' })
  assert.equal(reads, { stream: from, types: ['reading.taken'] })
  assert.equal(writes, { stream: to })
})

test.run()
