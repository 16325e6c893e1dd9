// The guide to pipelines shows what can be typed: its snippets are taken from it, type-checked, loaded and run.
import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { discover } from '../../src/runtime/discover.ts'
import { testPipeline } from '../../src/testing.ts'
import { temporaryDirectory } from '../support/nats.ts'
import { filesOf } from '../support/readme.ts'
import { readText } from '../support/repository.ts'
import { complaintsOf } from '../support/type-check.ts'

const test = suite('docs/pipelines.md')
const guide = readText('docs/pipelines.md')
const files = filesOf(guide)

/** A folder with the files of the guide in it. */
async function guideFolder(more: Record<string, string> = {}): Promise<string> {
  const folder = await temporaryDirectory()
  for (const [path, text] of Object.entries({ ...files, ...more })) {
    await mkdir(dirname(join(folder, path)), { recursive: true })
    await writeFile(join(folder, path), text)
  }
  return folder
}

test('every block of TypeScript names its file', () => {
  assert.is(Object.keys(files).length, [...guide.matchAll(/^```ts$/gm)].length)
})

test('its snippets pass the type check of this repository', async () => {
  assert.is(await complaintsOf(await guideFolder(), 'guide'), '')
})

test('a planted mistake in a snippet is found by the type check', async () => {
  const path = 'guide/shop/pipelines/busy.ts'
  const broken = (files[path] ?? '').replace('count: batch.length', 'count: batch')
  assert.match(await complaintsOf(await guideFolder({ [path]: broken }), 'guide'), /busy\.ts.*TS/)
})

test('its declarations load, in every mode that it speaks of', async () => {
  const { pipelines } = await discover(join(await guideFolder(), 'guide'))
  const kinds = pipelines.map((declared) =>
    declared.kind === 'pipeline' ? `${declared.name}: ${declared.recovery.mode}` : `${declared.name}: keyed`,
  )
  assert.equal(kinds.sort(), [
    'bursts: slots',
    'busy: slots',
    'counted: checkpoint',
    'fulfil: stateless',
    'per-hour: checkpoint',
    'rated: slots',
    'scored: slots',
    'unpaid: keyed',
    'whole-shop: keyed',
  ])
})

test('the keyed state of the guide reports an order that stays unpaid, and no other', async () => {
  const { pipelines, registry } = await discover(join(await guideFolder(), 'guide'))
  const unpaid = pipelines.find(({ name }) => name === 'unpaid')
  const [placed, paid, reported] = ['order.placed', 'order.paid', 'order.unpaid'].map((type) => registry.get(type))
  assert.ok(unpaid && placed && paid && reported)
  const order = (customer: string) => ({ customer, amount: 1, at: 0 })
  const outputs = testPipeline(unpaid)
    .events([placed(order('ann')), placed(order('bob')), paid(order('bob'))])
    .advance('1h')
    .crashEverywhere()
    .outputs(reported)
  assert.equal(
    outputs.map(({ data }) => data),
    [{ customer: 'ann' }],
  )
})

test('the enriched pipeline of the guide takes what the look-up gives, and asks once for as long as that lives', async () => {
  const { pipelines, registry } = await discover(join(await guideFolder(), 'guide'))
  const rated = pipelines.find(({ name }) => name === 'rated')
  const paid = registry.get('order.paid')
  assert.ok(rated && paid)
  const order = paid({ customer: 'ann', amount: 1, at: 0 })
  const run = testPipeline(rated)
    .events([order])
    .resolveStep('enrich', [{ risk: 3 }])
  assert.equal(
    run
      .events([order])
      .at('9m')
      .outputs()
      .map(({ data }) => (data as { score: number }).score),
    [3, 3],
  )
})

test('the pipeline with state of the README is the one of the guide', () => {
  const shown = /^## Pipelines with state\n[\s\S]*?^```ts\n([\s\S]*?)^```$/m.exec(readText('README.md'))?.[1]
  const own = (files['guide/shop/pipelines/busy.ts'] ?? '').split('\n').slice(1).join('\n')
  assert.is(shown, own)
})

test.run()
