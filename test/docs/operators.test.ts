import { readFileSync } from 'node:fs'
import * as operators from 'rxjs/operators'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { DurableOps } from '../../src/pipeline/ops/durable-ops.ts'

const test = suite('docs/operators.md')
const document = readFileSync(new URL('../../docs/operators.md', import.meta.url), 'utf8')

test('every operator that rxjs exports is in the table', () => {
  const missing = Object.keys(operators).filter(
    (name) => name !== 'default' && name !== '__esModule' && !document.includes(`\`${name}\``),
  )
  assert.equal(missing, [])
})

test('every durable operator is described, and none that does not exist', () => {
  const described = new Set([...document.matchAll(/`ctx\.ops\.(\w+)/g)].map(([, name]) => name ?? ''))
  const there = Object.getOwnPropertyNames(DurableOps.prototype).filter((name) => name !== 'constructor')
  assert.equal([...described].sort(), there.sort())
})

test.run()
