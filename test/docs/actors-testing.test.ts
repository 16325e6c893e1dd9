// docs/guides/actors-testing.md is what somebody copies: its examples are taken from it, type-checked and run.
import { symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { temporaryDirectory } from '../support/nats.ts'
import { filesOf } from '../support/readme.ts'
import { readText, TOP } from '../support/repository.ts'
import { complaintsOf } from '../support/type-check.ts'

const test = suite('docs/guides/actors-testing.md')
const text = readText('docs/guides/actors-testing.md')
const examples = filesOf(text)

async function exampleFolder(): Promise<string> {
  const folder = await temporaryDirectory()
  for (const [path, example] of Object.entries(examples)) await writeFile(join(folder, path), example)
  await writeFile(join(folder, 'package.json'), '{ "type": "module" }')
  await symlink(join(TOP, 'node_modules'), join(folder, 'node_modules'), 'junction')
  return folder
}

test('every example has a file of its own', () => {
  const blocks = text.match(/^```ts$/gm)?.length
  assert.equal([Object.keys(examples).length, blocks], [4, 4])
})

test('the examples pass the type check of this repository, without a cast', async () => {
  const folder = await exampleFolder()
  assert.is(await complaintsOf(folder, '*.ts'), '')
  for (const [path, example] of Object.entries(examples))
    assert.not.match(example, /\bas (?!const|fc)\w|\bany\b|@ts-/, path)
})

for (const path of Object.keys(examples))
  test(`${path} runs, and what it asserts is so`, async () => {
    await import(pathToFileURL(join(await exampleFolder(), path)).href)
  })

test.run()
