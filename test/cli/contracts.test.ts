// The cycle of a change: record, change, check, mend or accept. In folders of their own, without a server.
import { existsSync } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { checkCommand, type CheckFlags } from '../../src/cli/contracts/check-command.ts'
import { recordCommand, type RecordFlags } from '../../src/cli/contracts/record-command.ts'
import { showCommand } from '../../src/cli/contracts/show-command.ts'
import { isFault, type MillraceError } from '../../src/error/millrace-error.ts'
import { discover } from '../../src/runtime/discover.ts'
import { cliContext, type TestContext } from '../support/cli-context.ts'
import { cli, deploymentFolder, jsonOf } from './support.ts'

const test = suite('cli: contracts')
const RECORD = 'streams/shop/contracts.lock.json'

interface Ran {
  readonly code: number
  readonly json: Record<string, any>
  readonly text: string
}

/** The small deployment in a folder of its own, as one state of its code. */
class Code {
  readonly folder: string

  private constructor(folder: string) {
    this.folder = folder
  }

  static async first(): Promise<Code> {
    return new Code(await deploymentFolder())
  }

  get record(): string {
    return join(this.folder, RECORD)
  }

  /** The code after a change, with the record of before: a folder of its own, since a module is loaded once. */
  async changed(...changes: readonly (readonly [from: string, to: string])[]): Promise<Code> {
    const next = await Code.first()
    const file = join(next.folder, 'streams/shop/events.ts')
    let text = await readFile(file, 'utf8')
    for (const [from, to] of changes) {
      assert.ok(text.includes(from), from)
      text = text.replace(from, to)
    }
    await writeFile(file, text)
    if (existsSync(this.record)) await writeFile(next.record, await readFile(this.record))
    return next
  }

  check(flags: CheckFlags = {}, json = true): Promise<Ran> {
    return this.#run((context) => checkCommand(context, flags), json)
  }

  recordNow(flags: RecordFlags = {}): Promise<Ran> {
    return this.#run((context) => recordCommand(context, flags))
  }

  show(type?: string): Promise<Ran> {
    return this.#run((context) => showCommand(context, type))
  }

  async #run(command: (context: TestContext) => Promise<void>, json = true): Promise<Ran> {
    const context = cliContext({ json })
    let code = 0
    const deployment: TestContext['deployment'] = (parts) => discover(join(this.folder, 'streams'), parts)
    await command({ ...context, deployment, exitWith: (exit) => void (code = exit) })
    const text = context.out.text()
    return { code, text, json: json ? jsonOf(text) : {} }
  }
}

async function refusal(work: Promise<unknown>): Promise<MillraceError> {
  const error = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  assert.ok(isFault(error), String(error))
  return error
}

test('what is not recorded stops a build, what is recorded does not', async () => {
  const code = await Code.first()
  const before = await code.check()
  assert.is(before.code, 5)
  assert.equal(
    before.json.findings.map((finding: { code: string }) => finding.code),
    Array.from({ length: 3 }, () => 'CONTRACT_UNRECORDED'),
  )
  await code.recordNow({ dryRun: true })
  assert.is((await code.check()).code, 5, 'a dry run writes nothing')
  const [file] = (await code.recordNow()).json.files
  assert.ok(file.file.endsWith(RECORD) && file.written && file.contracts === 3)
  const after = await code.check()
  assert.equal([after.code, after.json.findings], [0, []])
  assert.is((await code.recordNow()).json.files[0].written, false, 'and is not written again')
})

test('a break stops a build with its pointer, is not recorded by accident, and can be accepted', async () => {
  const first = await Code.first()
  await first.recordNow()
  const text = await readFile(first.record, 'utf8')
  const code = await first.changed(['orders: z.number().int()', 'orders: z.number().int().min(5)'])
  const checked = await code.check()
  assert.is(checked.code, 5)
  const [finding] = checked.json.findings
  assert.equal(
    [finding.code, finding.kind, finding.type, finding.pointer],
    ['CONTRACT_BREAKS', 'changed', 'burst.seen', '/orders'],
  )
  assert.match(finding.advice, /declare version 2 of burst\.seen with upcasters/)
  assert.match(
    (await code.check({}, false)).text,
    /^break  burst\.seen version 1 \/orders: numbers from 5 .*\n  breaks: .*\n  do: /,
  )

  const refused = await refusal(code.recordNow())
  assert.is(refused.code, 'CONTRACT_BREAKS')
  assert.equal([refused.issues.length, refused.issues[0]?.pointer], [1, '/orders'])
  assert.is(await readFile(code.record, 'utf8'), text, 'nothing was written')

  assert.is((await refusal(code.recordNow({ acceptBreaks: ['burst.gone'] }))).code, 'DECLARATION_UNKNOWN')
  await code.recordNow({ acceptBreaks: ['burst.seen'] })
  assert.is((await code.check()).code, 0)
})

test('an upcaster that is taken away is found', async () => {
  const first = await Code.first()
  const older = await first.changed(
    ['  version: 2,\n', ''],
    [
      ", currency: z.string().length(3) }),\n  upcasters: { 1: (data) => ({ ...(data as object), currency: 'EUR' }) },",
      ' }),',
    ],
  )
  await older.recordNow()
  const next = await older.changed()
  assert.equal(
    (await next.check()).json.findings.map(({ detail }: { detail: string }) => detail),
    ['version 2 is not recorded'],
  )
  await next.recordNow()
  const gone = await next.changed([
    "upcasters: { 1: (data) => ({ ...(data as object), currency: 'EUR' }) }",
    'upcasters: {}',
  ])
  const { code, json } = await gone.check()
  assert.equal([code, json.findings[0].kind, json.findings[0].version], [5, 'upcaster-missing', 1])
})

test('a mode can be asked for', async () => {
  const first = await Code.first()
  await first.recordNow()
  const code = await first.changed(['orders: z.number().int()', 'orders: z.number()'])
  assert.equal((await code.check()).json.findings[0].severity, 'unrecorded')
  const full = await code.check({ mode: 'full' })
  assert.equal([full.code, full.json.findings[0].severity, full.json.findings[0].pointer], [5, 'break', '/orders'])
  assert.match(full.json.findings[0].breaks, /still run the code as recorded/)
})

test('EC3 a recording is read as a processor would, through upcasters; what is not read has its line', async () => {
  const code = await Code.first()
  await code.recordNow()
  const line = (version: number, data: object): string =>
    JSON.stringify({ type: 'order.placed', version, data: { customer: 'c', ...data } })
  const other = '{"type":"other.type","data":{}}'
  const old = [line(1, { amount: 1 }), line(2, { amount: 1, currency: 'EUR', more: 1 }), '', line(1, {}), other, '{']
  const file = join(code.folder, 'old.ndjson')
  await writeFile(file, old.join('\n'))
  const checked = await code.check({ recording: [file] })
  const [recording] = checked.json.recordings
  assert.equal([checked.code, recording.events, recording.others], [5, 2, 1])
  assert.equal(
    recording.problems.map((problem: { line: number; code: string }) => [problem.line, problem.code]),
    [
      [4, 'EVENT_DATA_INVALID'],
      [6, 'EVENT_ENVELOPE_INVALID'],
    ],
  )
  await writeFile(file, old.slice(0, 2).join('\n'))
  assert.is((await code.check({ recording: [file] })).code, 0)
})

test('a contract is shown with its schema and what is recorded of it', async () => {
  const code = await Code.first()
  await code.recordNow()
  const { json } = await code.show('order.placed')
  assert.equal([json.kind, json.version, json.oldest, json.recorded], ['event', 2, 1, 'as it is'])
  assert.equal(json.schema.required, ['amount', 'currency', 'customer'])
  const all = (await code.show()).json.contracts.map(({ type }: { type: string }) => type)
  assert.equal(all.sort(), ['burst.seen', 'order.flagged', 'order.placed'])
  assert.match((await refusal(code.show('order.place'))).detail, /did you mean order\.placed\?/)
})

test('a record that is broken, as by a merge, is refused with its file', async () => {
  const { folder: cwd, record } = await Code.first()
  await writeFile(record, '<<<<<<< HEAD\n{}\n')
  const { code, stderr } = await cli(['contracts', 'check', '--json'], { cwd })
  assert.is(code, 2)
  assert.match(stderr, /CONTRACTS_RECORD_INVALID/)
  assert.match(stderr, /streams\/shop\/contracts\.lock\.json/)
})
test.run()
