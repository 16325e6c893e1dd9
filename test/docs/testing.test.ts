// docs/testing.md and the guides to jobs are what somebody copies: their examples are taken from them, type-checked and run.
import { symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { COMMANDS } from '../../src/cli/commands.ts'
import { temporaryDirectory } from '../support/nats.ts'
import { checkCommands, commandsOf, filesOf } from '../support/readme.ts'
import { readText, TOP } from '../support/repository.ts'
import { complaintsOf } from '../support/type-check.ts'

const test = suite('docs/testing.md, guides to jobs, docs/verify.md')
const texts = ['docs/testing.md', 'docs/guides/ai-jobs.md', 'docs/guides/model-server.md'].map(readText)
// one compiler for all
const examples = filesOf(texts.join('\n'))

/** The examples in a folder of their own, with the recording that one of them reads. */
async function exampleFolder(): Promise<string> {
  const folder = await temporaryDirectory()
  for (const [path, text] of Object.entries(examples)) await writeFile(join(folder, path), text)
  const line = (second: number): string =>
    `{"type":"payment.made","time":"2026-03-01T12:00:${second}Z","data":{"card":"a","amount":5}}\n`
  await writeFile(join(folder, 'day.ndjson'), [10, 20, 30].map(line).join(''))
  await writeFile(join(folder, 'package.json'), '{ "type": "module" }')
  await symlink(join(TOP, 'node_modules'), join(folder, 'node_modules'), 'junction')
  return folder
}

test('every example has a file of its own', () => {
  const blocks = texts.flatMap((text) => text.match(/^```ts$/gm) ?? []).length
  assert.is(Object.keys(examples).length, blocks)
  assert.ok(blocks >= 9)
})

test('the examples pass the type check of this repository, without a cast', async () => {
  const folder = await exampleFolder()
  assert.is(await complaintsOf(folder, '*.ts'), '')
  for (const [path, text] of Object.entries(examples)) assert.not.match(text, /\bas (?!const)\w|\bany\b|@ts-/, path)
})

for (const path of Object.keys(examples))
  test(`${path} runs, and what it asserts is so`, async () => {
    await import(pathToFileURL(join(await exampleFolder(), path)).href)
  })

test('the commands that docs/verify.md shows exist', () => {
  const commands = commandsOf(readText('docs/verify.md'))
  assert.ok(commands.length >= 5)
  const known = { scripts: [], millrace: COMMANDS.map(({ name }) => name) }
  assert.equal(checkCommands(commands, known), [])
})

test.run()
