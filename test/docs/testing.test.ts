// docs/testing.md is what somebody copies: its examples are taken from it, type-checked and run.
import { execFile } from 'node:child_process'
import { symlink, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { COMMANDS } from '../../src/cli/commands.ts'
import { temporaryDirectory } from '../support/nats.ts'
import { checkCommands, commandsOf, filesOf } from '../support/readme.ts'
import { readText, TOP } from '../support/repository.ts'

const test = suite('docs/testing.md and docs/verify.md')
const examples = filesOf(readText('docs/testing.md'))

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
  const blocks = readText('docs/testing.md').match(/^```ts$/gm)?.length
  assert.is(Object.keys(examples).length, blocks)
  assert.ok((blocks ?? 0) >= 7)
})

test('the examples pass the type check of this repository, without a cast', async () => {
  const folder = await exampleFolder()
  const paths = { millrace: [join(TOP, 'src/index.ts')], 'millrace/testing': [join(TOP, 'src/testing.ts')] }
  const config = { extends: join(TOP, 'tsconfig.json'), compilerOptions: { paths }, include: ['*.ts'] }
  await writeFile(join(folder, 'tsconfig.json'), JSON.stringify(config))
  const tsc = join(dirname(createRequire(import.meta.url).resolve('typescript/package.json')), 'bin/tsc')
  const { stdout } = await promisify(execFile)(process.execPath, [tsc, '-p', folder]).catch(
    (error: unknown) => error as { stdout: string },
  )
  assert.is(stdout, '')
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
