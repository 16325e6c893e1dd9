import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { exportCommand, type ExportFlags } from '../../src/cli/audit/export-command.ts'
import { verifyCommand } from '../../src/cli/audit/verify-command.ts'
import { isFault } from '../../src/error/millrace-error.ts'
import { Hand } from '../actor/accounts.ts'
import { freshStream, sharedConnection } from '../actor/support.ts'
import { cliContext } from '../support/cli-context.ts'
import { temporaryDirectory } from '../support/nats.ts'

const test = suite('cli: audit')

const connection = await sharedConnection()
const stream = await freshStream(connection, { storage: 'memory' })
const folder = await temporaryDirectory()
const hands = ['a', 'b'].map((id) => new Hand(connection, stream, id))
for (const amount of [1, 2, 3]) for (const hand of hands) await hand.decide([amount])

function contextOf(json = false) {
  const actors = [{ actor: { name: 'account' }, stream }]
  return { ...cliContext({ json }), deployment: async () => ({ streams: [stream], actors }) as never }
}

async function codeOf(work: Promise<unknown>): Promise<string> {
  const error = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  return isFault(error) ? error.code : String(error)
}

async function written(flags: ExportFlags = {}): Promise<{ file: string; report: Record<string, unknown> }> {
  const file = join(folder, `${Object.values(flags).join('-') || 'all'}.ndjson`)
  const context = contextOf(true)
  await exportCommand(context, file, flags)
  return { file, report: JSON.parse(context.out.text()) as Record<string, unknown> }
}

test('what is exported is verified, alone and against the stream', async () => {
  for (const [flags, messages] of [
    [{}, 6],
    [{ actor: 'account' }, 6],
    [{ actor: 'account', id: 'a' }, 3],
    [{ stream: stream.name, fromSeq: 2, toSeq: 3 }, 2],
  ] as const) {
    const { file, report } = await written(flags)
    assert.is(report['messages'], messages)
    const context = contextOf(true)
    await verifyCommand(context, file, { againstStream: true, hash: String(report['hash']) })
    const verified = JSON.parse(context.out.text()) as Record<string, unknown>
    assert.equal([verified['messages'], verified['same'], verified['hash']], [messages, messages, report['hash']])
    await verifyCommand(contextOf(), file, {})
  }
})

test('a changed line is named, and the exit code is that of a check', async () => {
  const { file } = await written()
  const text = await readFile(file, 'utf8')
  const changed = join(folder, 'changed.ndjson')
  await writeFile(changed, text.replace('\\"amount\\":2', '\\"amount\\":7'))
  const error = await verifyCommand(contextOf(), changed, {}).catch((thrown: unknown) => thrown)
  assert.ok(isFault(error, 'AUDIT_BROKEN'))
  assert.is(error.exit, 5)
  assert.match(error.detail, /^line 4: it was changed/)
})

test('a file that was written anew has another hash', async () => {
  const { file } = await written()
  assert.is(await codeOf(verifyCommand(contextOf(), file, { hash: '0'.repeat(64) })), 'AUDIT_BROKEN')
})

test('an export goes to stdout, and is verified from stdin', async () => {
  const context = contextOf()
  await exportCommand(context, '-', { actor: 'account', id: 'b' })
  assert.match(context.err.text(), /3 messages of .*\nhash [0-9a-f]{64}/)
  const input = Readable.from([Buffer.from(context.out.text())])
  const verifying = { ...contextOf(), input }
  await verifyCommand(verifying, '-', {})
  assert.match(verifying.out.text(), /^whole {2}3 messages/)
})

test('what cannot be exported is said', async () => {
  const file = join(folder, 'none.ndjson')
  assert.is(await codeOf(exportCommand(contextOf(), file, { id: 'a' })), 'USAGE')
  assert.is(await codeOf(exportCommand(contextOf(), file, { actor: 'acount' })), 'DECLARATION_UNKNOWN')
  assert.is(await codeOf(exportCommand(contextOf(), file, { stream: 'NONE' })), 'DECLARATION_UNKNOWN')
  assert.is(await codeOf(exportCommand(contextOf(), join(folder, 'no', 'file'), {})), 'OUTPUT_UNWRITABLE')
  assert.is(await codeOf(verifyCommand(contextOf(), join(folder, 'nowhere'), {})), 'INPUT_UNREADABLE')
})

test.run()
