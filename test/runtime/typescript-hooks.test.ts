import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { load, resolve } from '../../src/runtime/typescript-hooks.js'

const test = suite('TypeScript without a build')

for (const [what, text, place] of [
  [
    'a mistake in its syntax',
    'const a = 1\nexport default {{\n',
    /SyntaxError: Unexpected token.* at line 2, column 17\n[^]*\{\{/,
  ],
  ['what types alone cannot say', '\nenum Colour { red }\n', /SyntaxError: .*enum.* at line 2, column 1\n/],
] as const)
  test(`${what} is said with its place`, async () => {
    const folder = mkdtempSync(join(tmpdir(), 'millrace-hooks-'))
    try {
      const file = join(folder, 'wrong.ts')
      writeFileSync(file, text)
      const context = {} as never
      const loading = Promise.resolve(load(pathToFileURL(file).href, context, () => assert.unreachable() as never))
      const error: unknown = await loading.then(
        () => 'it was taken',
        (thrown: unknown) => thrown,
      )
      assert.match(String(error), place)
    } finally {
      rmSync(folder, { recursive: true })
    }
  })

test('./x.js means ./x.ts where there is no such file, and nothing else does', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-hooks-'))
  try {
    for (const name of ['one.ts', 'both.ts', 'both.js']) writeFileSync(join(folder, name), '')
    const context = { parentURL: pathToFileURL(join(folder, 'parent.ts')).href } as never
    const asked = async (specifier: string): Promise<string[]> => {
      const specifiers: string[] = []
      await resolve(specifier, context, (one: string) => {
        specifiers.push(one)
        return { url: '' } as never
      })
      return specifiers
    }
    assert.equal(await asked('./one.js'), ['./one.ts'])
    for (const other of ['./both.js', './one.ts', './none.js', 'one.js', 'rxjs'])
      assert.equal(await asked(other), [other])
  } finally {
    rmSync(folder, { recursive: true })
  }
})

test.run()
