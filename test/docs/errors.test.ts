import { readdirSync, readFileSync } from 'node:fs'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { CATALOGUE } from '../../src/error/catalogue.ts'
import { EXIT } from '../../src/error/exit-code.ts'
import { checkErrors, renderErrors, type Catalogue } from '../support/errors-document.ts'
import { readText } from '../support/repository.ts'

const test = suite('docs/errors.md')

const PLANTED = {
  disposition: 'reject',
  means: 'a planted error | with a bar',
  advice: 'Do nothing',
  exit: 1,
  status: 500,
} as const

const planted: Catalogue = { ...CATALOGUE, PLANTED }

test('every code of the catalogue is documented as it is, and no other', () => {
  assert.equal(checkErrors(readText('docs/errors.md'), CATALOGUE), [], 'npm run docs')
})

test('a planted undocumented code is reported', () => {
  assert.equal(checkErrors(renderErrors(CATALOGUE), planted), ['PLANTED is not documented'])
})

test('a documented code that is gone is reported', () => {
  const { PLANTED: _, ...without } = planted
  assert.equal(checkErrors(renderErrors(planted), without), ['PLANTED is documented, but there is no such error'])
})

test('a documented text that differs is reported, whichever field it is', () => {
  const document = renderErrors(planted)
  assert.equal(checkErrors(document, planted), [])
  const others = { means: 'otherwise', advice: 'otherwise', disposition: 'retry', exit: 2, status: 400 } as const
  for (const [field, value] of Object.entries(others))
    assert.equal(
      checkErrors(document, { ...planted, PLANTED: { ...PLANTED, [field]: value } as typeof PLANTED }),
      ['PLANTED is documented otherwise'],
      field,
    )
})

test('a changed sentence around the tables is reported', () => {
  assert.equal(checkErrors(`${renderErrors(CATALOGUE)}more\n`, CATALOGUE), ['the rest of the document is out of date'])
})

test('every entry says in a sentence what it means and what to do', () => {
  const exits: readonly number[] = Object.values(EXIT)
  for (const [code, { means, advice, exit, status }] of Object.entries(CATALOGUE)) {
    assert.match(code, /^[A-Z]+(_[A-Z]+)*$/)
    assert.match(means, /^.{10,}[^.]$/, `${code}: means`)
    assert.match(advice, /^\p{Lu}.{8,}[^.]$/u, `${code}: advice`)
    assert.ok(exits.includes(exit) && exit > EXIT.ok, `${code}: exit`)
    assert.ok(status >= 400 && status < 600, `${code}: status`)
  }
})

test('no code is declared in two areas', () => {
  const codes = new URL('../../src/error/codes/', import.meta.url)
  const declared = readdirSync(codes).flatMap((file) =>
    [...readFileSync(new URL(file, codes), 'utf8').matchAll(/^ {2}([A-Z][A-Z0-9_]+): \{/gm)].map(([, code]) => code),
  )
  assert.equal(
    declared.filter((code, at) => declared.indexOf(code) !== at),
    [],
  )
  assert.is(declared.length, Object.keys(CATALOGUE).length)
})

test.run()
