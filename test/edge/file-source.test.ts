import { spawn } from 'node:child_process'
import { appendFile, mkdtemp, rename, rm, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { EdgeRun } from '../../src/edge/edge-run.ts'
import { defineFileSource, type FileSourceOptions } from '../../src/edge/tail/define-file-source.ts'
import { startFileSource } from '../../src/edge/tail/file-source.ts'
import { cutRecord, readFields } from '../../src/edge/tail/records.ts'
import { silentLog } from '../../src/observe/log.ts'
import { systemClock } from '../../src/time/system-clock.ts'
import { Asked, place, type Place } from '../delivery/running-handlers.ts'
import { eventually, sharedConnection } from '../support/broker.ts'
import { atEnd } from '../support/cleanup.ts'
import { readAll } from '../support/events.ts'
import { sharedServer } from '../support/nats.ts'
import { testProgram } from '../support/program.ts'

const test = suite('file sources')
const connection = await sharedConnection()
let count = 0

async function folder(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'millrace-source-'))
  atEnd(() => rm(path, { recursive: true, force: true }))
  return path
}

function start(where: Place, file: string, options: Partial<FileSourceOptions<[typeof Asked]>> = {}): EdgeRun {
  const to = { stream: where.stream.name, events: [Asked] as [typeof Asked] }
  const declaration = defineFileSource<[typeof Asked]>({ name: 'tail', to, file, poll: '20ms', ...options })
  const shared = { connection, clock: systemClock, log: silentLog, stream: where.stream }
  const run = startFileSource({ ...shared, declaration, run: `test ${(count += 1)}` })
  atEnd(() => run.stop())
  return run
}

const numbersOf = async ({ stream }: Place): Promise<number[]> =>
  (await readAll(connection, stream.name, [`${stream.root}.>`])).map(
    ({ data }) => (JSON.parse(Buffer.from(data).toString()) as { n: number }).n,
  )

const until = (where: Place, many: number): Promise<number[]> =>
  eventually(
    `${many} events`,
    async () => {
      const numbers = await numbersOf(where)
      return numbers.length >= many ? numbers : undefined
    },
    30_000,
  )

const lines = (from: number, to: number): string =>
  Array.from({ length: to - from }, (_, at) => `{"n":${from + at},"key":"k"}\n`).join('')
const upTo = (many: number): number[] => Array.from({ length: many }, (_, n) => n)

test('SO1 SO4 each line is stored once, in order, though processes are killed and the file is renamed meanwhile', async () => {
  const where = await place(connection)
  const file = join(await folder(), 'in.ndjson')
  await writeFile(file, lines(0, 800))
  const { url } = await sharedServer()
  const worker = fileURLToPath(new URL('./file-source-worker.ts', import.meta.url))
  for (let round = 0; round < 2; round++) {
    const args = [...testProgram(worker), url, where.stream.name, file]
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
    const gone = new Promise((resolve) => child.once('exit', resolve))
    await new Promise((resolve) => child.stdout.once('data', resolve))
    if (round === 0)
      await until(where, 1) // a source that was never at work knows of no file that was renamed
    else await systemClock.sleep(150)
    child.kill('SIGKILL')
    await gone
    if (round > 0) continue
    await appendFile(file, lines(800, 900).slice(0, -1)) // its last line has no end
    await rename(file, `${file}.1`)
    await writeFile(file, lines(900, 1_500))
  }
  start(where, file)
  assert.equal(await until(where, 1_500), upTo(1_500))
  await systemClock.sleep(200)
  assert.is((await numbersOf(where)).length, 1_500)
})

test('SO4 half a line waits for its end, and a file that was emptied is read anew', async () => {
  const where = await place(connection)
  const file = join(await folder(), 'in.ndjson')
  await writeFile(file, `${lines(0, 1)}{"n":1,`)
  start(where, file)
  await until(where, 1)
  await systemClock.sleep(100)
  assert.is((await numbersOf(where)).length, 1)
  await appendFile(file, '"key":"k"}\n')
  await until(where, 2)
  await truncate(file)
  await appendFile(file, lines(2, 3))
  assert.equal(await until(where, 3), upTo(3))
})

test('SO1 SO4 a file of one line without an end that another one replaces is read once, and then the other one', async () => {
  const where = await place(connection)
  const file = join(await folder(), 'in.ndjson')
  await writeFile(file, lines(0, 1).trim())
  const run = start(where, file)
  await eventually('it is at work', () => run.status.state === 'working' || undefined)
  await systemClock.sleep(100)
  await writeFile(`${file}.new`, lines(1, 2))
  await rename(`${file}.new`, file)
  await until(where, 2)
  await systemClock.sleep(200)
  assert.equal(await numbersOf(where), upTo(2))
})

test('SO4 a renamed file to which parts of a line still come is not cut there', async () => {
  const where = await place(connection)
  const file = join(await folder(), 'in.ndjson')
  await writeFile(file, lines(0, 1))
  start(where, file)
  await until(where, 1)
  await rename(file, `${file}.1`)
  await writeFile(file, lines(2, 3))
  for (const part of ['{"n":1,', '"key"', ':', '"k"}']) {
    await appendFile(`${file}.1`, part)
    await systemClock.sleep(600)
  }
  assert.equal(await until(where, 3), upTo(3))
})

test('SO4 files that were renamed one after the other while nobody read are all read, in order', async () => {
  const where = await place(connection)
  const file = join(await folder(), 'in.ndjson')
  await writeFile(file, lines(0, 10))
  const run = start(where, file)
  await until(where, 10)
  await run.stop()
  await appendFile(file, lines(10, 20))
  for (let from = 20; from < 40; from += 10) {
    if (from > 20) await rename(`${file}.1`, `${file}.2`)
    await rename(file, `${file}.1`)
    await systemClock.sleep(20)
    await writeFile(file, lines(from, from + 10))
  }
  start(where, file)
  assert.equal(await until(where, 40), upTo(40))
})

test('SO2 what is no event is a dead letter with file and line, and the lines around it are stored', async () => {
  const where = await place(connection)
  const file = join(await folder(), 'in.ndjson')
  const long = `{"n":9,"key":"${'x'.repeat(5_000)}"}\n`
  const invalid = Buffer.from([0x7b, 0xff, 0x7d, 0x0a])
  await writeFile(file, Buffer.concat([Buffer.from(`${lines(0, 1)}not JSON\n\n{"n":"x","key":"k"}\n`), invalid]))
  await appendFile(file, `${long}{"type":"thing.asked","id":"own","data":{"n":1,"key":"k"}}\r\n${lines(2, 3)}`)
  const run = start(where, file, { longest: 2_000 })
  assert.equal(await until(where, 3), upTo(3))
  await eventually('counted', () => (run.status.letters === 4 && run.status.done === 3) || undefined)
  const letters = await readAll(connection, 'DEAD_LETTERS', ['millrace.dead.source-tail.>'])
  const told = letters.map(({ headers }) => [headers.get('Millrace-Dead-Code'), headers.get('Millrace-Line')])
  assert.equal(told.slice(-4), [
    ['SOURCE_INPUT_INVALID', '2'],
    ['EVENT_DATA_INVALID', '4'],
    ['SOURCE_INPUT_INVALID', '5'],
    ['SOURCE_LINE_TOO_LONG', '6'],
  ])
})

test('CSV is read by its columns, with quotes, and a row of another length is a dead letter', async () => {
  const where = await place(connection)
  const file = join(await folder(), 'in.csv')
  await writeFile(file, '\ufeffsensor,n\r\n"a,""b""\nc",0\r\nd,1\r\ntoo,many,fields\r\ne,2\r\n')
  const map = (row: { sensor: string; n: string }) => Asked({ key: row.sensor, n: Number(row.n) })
  const run = start(where, file, { name: 'csv', format: 'csv', map: map as never })
  assert.equal(await until(where, 3), upTo(3))
  await eventually('a dead letter', () => run.status.letters === 1 || undefined)
  const [first] = await readAll(connection, where.stream.name, [`${where.stream.root}.>`])
  assert.is((JSON.parse(Buffer.from(first?.data ?? []).toString()) as { key: string }).key, 'a,"b"\nc')
})

test('a file that is not there is waited for, and said so', async () => {
  const where = await place(connection)
  const file = join(await folder(), 'later.ndjson')
  const run = start(where, file)
  await eventually('it says why', () => run.status.stall?.code === 'SOURCE_FILE_MISSING' || undefined)
  await writeFile(file, lines(0, 2))
  assert.equal(await until(where, 2), upTo(2))
})

test('records are cut where they end, and fields are read as RFC 4180 has them', () => {
  const cut = (text: string, quoted: boolean) => cutRecord(Buffer.from(text), 0, quoted)
  assert.equal(cut('a\r\nb', false), { end: 1, next: 3, lines: 1 })
  assert.is(cut('"a\nb"', true), undefined)
  assert.equal(cut('"a\nb"\n', true), { end: 5, next: 6, lines: 2 })
  assert.equal(readFields('a,,"b""c",', ','), ['a', '', 'b"c', ''])
  assert.throws(() => readFields('"a', ','), /quotes|SOURCE_INPUT_INVALID|event/)
})

test.run()
