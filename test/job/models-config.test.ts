// models.yaml: read, and refused where a mistake stands.
import { cp, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { isFault, type MillraceError } from '../../src/error/millrace-error.ts'
import { classOf, limitsOf, NO_MODELS, requireModel } from '../../src/job/models-config.ts'
import { discover } from '../../src/runtime/discover.ts'
import { parseModels } from '../../src/runtime/load-models.ts'
import { temporaryDirectory } from '../support/nats.ts'

const test = suite('models.yaml')
const FOLDER = fileURLToPath(new URL('../fixtures/streams-jobs', import.meta.url))
const PRICES = `prices:
  version: 2026-10
  currency: USD
  models:
    claude-haiku-5-5*: { input: 0.1, output: 0.5, cacheRead: 0.01, cacheWrite5m: 0.125, cacheWrite1h: 0.2 }
`
const CLASSES = `classes:
  small:
    models: [claude-haiku-5-5*, claude-haiku-4-5]
    perMinute: { requests: 50, inputTokens: 50000, outputTokens: 10000 }
    concurrency: { most: 4 }
  large:
    models: [claude-opus-5-5]
`
const BUDGETS = `budgets:
  default: { soft: 5, hard: 10 }
  tenants:
    acme: { hard: 100 }
    default: {}
`

function refused(text: string): MillraceError {
  try {
    parseModels(text, 'streams/models.yaml')
  } catch (error) {
    if (isFault(error, 'MODELS_INVALID')) return error
    throw error
  }
  return assert.unreachable(`it was taken: ${text}`) as never
}

test('prices, classes and budgets are read; a model is of the class with the longest name that fits', () => {
  const models = parseModels(PRICES + CLASSES + BUDGETS, 'models.yaml')
  assert.is(classOf(models, 'claude-haiku-5-5-20261001'), 'small')
  assert.is(classOf(models, 'claude-opus-5-5'), 'large')
  assert.throws(() => classOf(models, 'claude-opus-5'), /MODEL_CLASS_UNKNOWN.*claude-opus-5; there are: small, large/)
  assert.equal(models.classes?.['small']?.concurrency, { least: 1, most: 4 })
  assert.equal(models.classes?.['large']?.perMinute, {})
  assert.equal([limitsOf(models, 'acme'), limitsOf(models, 'other')], [{ hard: 100 }, { soft: 5, hard: 10 }])
  assert.equal(limitsOf(models, 'default'), {}, 'a tenant may be named so')
  assert.throws(() => requireModel(models, 'claude-opus-5-5'), /PRICE_MISSING.*claude-opus-5-5, in the table 2026-10/)
  requireModel(models, 'claude-haiku-5-5')
  assert.equal(parseModels('batches: { jobs: 900, wait: 2m }', 'models.yaml').batches, { jobs: 900, wait: 120_000 })
  for (const [empty, name] of [
    [NO_MODELS, 'x'],
    [parseModels('', 'models.yaml'), 'x'],
  ] as const) {
    requireModel(empty, name)
    assert.is(classOf(empty, name), undefined)
    assert.equal(limitsOf(empty, name), {})
  }
})

test('a mistake is told with its pointer, line and column', () => {
  const places = (text: string) => refused(text).issues.map(({ pointer, line, column }) => [pointer, line, column])
  assert.equal(places(PRICES + CLASSES.replace('requests: 50,', 'requests: 0,')), [
    ['/classes/small/perMinute/requests', 9, 28],
  ])
  assert.equal(places(PRICES.replace('USD', 'usd')), [['/prices/currency', 3, 13]])
  assert.equal(places(BUDGETS), [['/budgets', 2, 3]], 'budgets without prices')
  assert.equal(places(PRICES + BUDGETS.replace('soft: 5', 'soft: 50')), [['/budgets/default', 7, 12]])
  assert.equal(places(CLASSES.replace('claude-opus-5-5', 'claude-haiku-4-5')), [['/classes/large/models/0', 7, 14]])
  assert.match(refused(PRICES + 'limits: 5\n').message, /limits/)
  assert.equal(places('batches: { wait: soon }\n'), [['/batches/wait', 1, 18]])
  assert.equal(places('batches: { jobs: 901 }\n'), [['/batches/jobs', 1, 18]])
  assert.equal(refused('classes:\n  a: [\n').issues[0]?.line, 3)
  assert.match(refused(CLASSES.replace('most: 4', 'least: 5, most: 4')).message, /least is above most/)
})

test('a deployment has it beside its contexts; what no job could be asked with is refused there', async () => {
  const folder = await temporaryDirectory()
  await cp(FOLDER, folder, { recursive: true })
  assert.is((await discover(folder)).models, undefined)
  await writeFile(join(folder, 'models.yaml'), PRICES + CLASSES)
  assert.is((await discover(folder)).models?.prices?.version, '2026-10')
  const thrown = async (text: string) => {
    await writeFile(join(folder, 'models.yaml'), text)
    return discover(folder).catch((error: unknown) => error)
  }
  const priceless = await thrown(PRICES.replace('haiku-5-5*', 'sonnet-5-5'))
  assert.ok(
    isFault(priceless, 'PRICE_MISSING') && /^job \w+: claude-haiku-5-5,/.test(priceless.detail),
    String(priceless),
  )
  assert.ok(isFault(await thrown(CLASSES.replace('haiku-5-5*', 'sonnet-5-5')), 'MODEL_CLASS_UNKNOWN'))
  const wrong = await thrown('classes: 5\n')
  assert.ok(isFault(wrong, 'MODELS_INVALID') && wrong.issues[0]?.file?.endsWith('models.yaml') === true, String(wrong))
})

test.run()
