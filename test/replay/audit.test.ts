import { createHash } from 'node:crypto'
import * as fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { publishBatch } from '../../src/broker/batch.ts'
import { isFault } from '../../src/error/millrace-error.ts'
import { compareAudit } from '../../src/replay/audit/compare-audit.ts'
import { exportAudit, type AuditExport } from '../../src/replay/audit/export-audit.ts'
import { readAudit, type AuditSummary, type NumberedLine } from '../../src/replay/audit/read-audit.ts'
import { systemClock } from '../../src/time/system-clock.ts'
import { freshStream, sharedConnection } from '../support/broker.ts'

const test = suite('audit exports')

const connection = await sharedConnection()
const clock = systemClock

/** A stream with ten messages, one of them no text. */
async function filled() {
  const stream = await freshStream(connection, { storage: 'memory' })
  const messages = Array.from({ length: 10 }, (_, at) => ({
    subject: `${stream.root}.k${at}.order.placed`,
    headers: [['x-at', `é ${at}`]] as const,
    data: at === 4 ? Buffer.from([0xff, 0]) : Buffer.from(`{"at":${at},"text":"é\\n"}`),
  }))
  await publishBatch(connection, messages)
  return stream
}

async function exported(name: string, more: Partial<AuditExport> = {}) {
  let text = ''
  const write = (part: string) => void (text += part)
  const result = await exportAudit(connection, { stream: name, subject: '>', clock, write, ...more })
  return { ...result, lines: text.trimEnd().split('\n') }
}

async function* numbered(lines: readonly string[]): AsyncGenerator<NumberedLine> {
  for (const [at, text] of lines.entries()) yield { number: at + 1, text }
}

async function verify(lines: readonly string[]): Promise<AuditSummary> {
  const parts = readAudit(numbered(lines))
  for (;;) {
    const { done, value } = await parts.next()
    if (done === true) return value
  }
}

async function problem(work: Promise<unknown>): Promise<[code: string, detail: string, line: number | undefined]> {
  const error = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  if (!isFault(error)) throw error ?? new Error('it is taken for whole')
  return [error.code, error.detail, error.issues[0]?.line]
}

test('hold every message as it is stored, each line with the hash of the one before', async () => {
  const stream = await filled()
  const { lines, messages, hash, header } = await exported(stream.name)
  assert.equal([lines.length, messages, header.first, header.last], [12, 10, 1, 10])
  const hashes = lines.map((line) => createHash('sha256').update(line).digest('hex'))
  assert.equal(
    lines.slice(1).map((line) => (JSON.parse(line) as { prev: string }).prev),
    hashes.slice(0, -1),
  )
  assert.is(hash, hashes.at(-1))
  const [, first, , , , fifth] = lines.map((line) => JSON.parse(line) as Record<string, any>)
  assert.equal([first?.['sequence'], first?.['text'], first?.['base64']], [1, '{"at":0,"text":"é\\n"}', undefined])
  assert.equal(first?.['headers'][0], ['x-at', 'é 0'])
  assert.equal([fifth?.['text'], fifth?.['base64']], [undefined, '/wA='])
  assert.equal(await verify(lines), { header, messages, hash })
})

test('keep to their range and subject', async () => {
  const stream = await filled()
  const part = await exported(stream.name, { first: 3, last: 5 })
  assert.equal([part.messages, (await verify(part.lines)).messages], [3, 3])
  const none = await exported(stream.name, { subject: `${stream.root}.*.order.paid` })
  assert.equal([none.messages, none.lines.length], [0, 2])
  assert.is((await compareAudit(connection, readAudit(numbered(none.lines)), { clock })).same, 0)
  assert.is((await problem(exported(stream.name, { first: 11 })))[0], 'REPLAY_RANGE_INVALID')
})

test('any change of any line is found, and the first line that is wrong is told', async () => {
  const stream = await filled()
  const { lines } = await exported(stream.name)
  await fc.assert(
    fc.asyncProperty(fc.nat(11), fc.nat(10_000), async (line, place) => {
      const text = lines[line] as string
      const at = place % text.length
      const changed = lines.with(line, `${text.slice(0, at)}${text[at] === '1' ? '2' : '1'}${text.slice(at + 1)}`)
      // the last line proves the others, and its own hash proves it
      if (line === 11 && at > text.indexOf('"prev"')) return
      if (line === 11 && changed[line]?.includes('"messages":10')) return
      const [code, , wrong] = await problem(verify(changed))
      assert.is(code, 'AUDIT_BROKEN')
      assert.ok(wrong === line + 1 || wrong === line, `line ${line + 1} was changed, ${wrong} is told`)
    }),
    { numRuns: 300 },
  )
})

test('lines that were taken out, added, moved or are missing at the end are found', async () => {
  const stream = await filled()
  const { lines } = await exported(stream.name)
  const without = lines.toSpliced(4, 1)
  const doubled = lines.toSpliced(4, 0, lines[4] as string)
  const moved = lines.with(4, lines[5] as string).with(5, lines[4] as string)
  for (const broken of [without, doubled, moved]) assert.equal((await problem(verify(broken)))[0], 'AUDIT_BROKEN')
  assert.equal((await problem(verify(without)))[2], 4)
  assert.match((await problem(verify(lines.slice(0, -1))))[1], 'line 11: its end is missing after it')
  assert.match((await problem(verify([...lines, '{}'])))[1], 'line 13: it comes after the end')
  assert.match((await problem(verify([])))[1], 'there is nothing')
  assert.match((await problem(verify(['{"a":1}'])))[1], 'line 1: it does not begin')
  assert.match((await problem(verify(['no'])))[1], 'line 1: it is not JSON')
})

test('are compared with the stream, message by message', async () => {
  const stream = await filled()
  const { lines } = await exported(stream.name)
  const compare = (some: readonly string[]) => compareAudit(connection, readAudit(numbered(some)), { clock })
  assert.equal([(await compare(lines)).same, (await compare(lines)).gone], [10, 0])
  await connection.manager.streams.purge(stream.name, { seq: 4 })
  assert.equal([(await compare(lines)).same, (await compare(lines)).gone], [7, 3])
  await connection.manager.streams.deleteMessage(stream.name, 7)
  assert.equal((await problem(compare(lines))).slice(0, 2), [
    'AUDIT_DIFFERS',
    'line 8: message 7 is not in the stream any more',
  ])
  const { lines: later } = await exported(stream.name)
  assert.is((await compare(later)).same, 6)
})

test('a file that was written anew, with hashes that fit, differs from the stream', async () => {
  const [stream, other] = [await filled(), await filled()]
  const { lines } = await exported(stream.name)
  let prev = ''
  const forged = lines.map((line, at) => {
    const value = JSON.parse(at === 3 ? line.replace('\\"at\\":2', '\\"at\\":9') : line) as Record<string, unknown>
    const written = JSON.stringify(at === 0 ? value : { ...value, prev })
    prev = createHash('sha256').update(written).digest('hex')
    return written
  })
  assert.is((await verify(forged)).messages, 10)
  const parts = () => readAudit(numbered(forged))
  assert.equal((await problem(compareAudit(connection, parts(), { clock }))).slice(0, 2), [
    'AUDIT_DIFFERS',
    'line 4: message 3 is another one in the stream',
  ])
  const foreign = lines.map((line) => line.replace(`"stream":"${stream.name}"`, `"stream":"${other.name}"`))
  assert.is((await problem(compareAudit(connection, readAudit(numbered(foreign)), { clock })))[0], 'STREAM_REPLACED')
})

test('a message that the export has not is found', async () => {
  const stream = await filled()
  const { lines } = await exported(stream.name, { subject: `${stream.root}.>`, last: 9 })
  const wider = lines.map((line) => line.replace('"last":9', '"last":10'))
  let prev = ''
  const forged = wider.map((line, at) => {
    const written = JSON.stringify(at === 0 ? JSON.parse(line) : { ...(JSON.parse(line) as object), prev })
    prev = createHash('sha256').update(written).digest('hex')
    return written
  })
  const [code, detail] = await problem(compareAudit(connection, readAudit(numbered(forged)), { clock }))
  assert.equal([code, detail], ['AUDIT_DIFFERS', 'message 10 is in the stream, and not in the export'])
})

test.run()
