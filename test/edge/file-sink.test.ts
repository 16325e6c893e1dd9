import { spawn } from 'node:child_process'
import { mkdtemp, readdir, readFile, rename, rm, symlink, truncate, appendFile, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import * as fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { Connection } from '../../src/broker/connection.ts'
import { defineFileSink, type FileSinkOptions } from '../../src/edge/file/define-file-sink.ts'
import { startFileSink } from '../../src/edge/file/file-sink.ts'
import { BEGINNING, layOut, Segments, type FilePlace, type Line } from '../../src/edge/file/segments.ts'
import type { EdgeRun } from '../../src/edge/edge-run.ts'
import { silentLog } from '../../src/observe/log.ts'
import { systemClock } from '../../src/time/system-clock.ts'
import { Asked, ask, letters, place, registry, type Place } from '../delivery/running-handlers.ts'
import { connectTo, eventually, sharedConnection } from '../support/broker.ts'
import { atEnd } from '../support/cleanup.ts'
import { sharedServer } from '../support/nats.ts'
import { testProgram } from '../support/program.ts'

const test = suite('file sinks')
const connection = await sharedConnection()
let count = 0

async function folder(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'millrace-sink-'))
  atEnd(() => rm(path, { recursive: true, force: true }))
  return path
}

type Options = Partial<FileSinkOptions<[typeof Asked]>>

function start(where: Place, directory: string, options: Options = {}, own: Connection = connection): EdgeRun {
  const name = options.name ?? `f${process.pid}`
  const from = { stream: where.stream.name, events: [Asked] as [typeof Asked] }
  const declaration = defineFileSink<[typeof Asked]>({ name, from, directory, batch: 7, ...options })
  const shared = { registry, clock: systemClock, log: silentLog, stream: where.stream }
  const run = startFileSink({ connection: own, ...shared, declaration, run: `test ${(count += 1)}` })
  atEnd(() => run.stop())
  return run
}

async function numbersIn(directory: string): Promise<number[]> {
  const files = (await readdir(directory)).sort()
  const texts = await Promise.all(files.map((file) => readFile(join(directory, file), 'utf8')))
  assert.ok(texts.every((text) => text === '' || text.endsWith('\n')))
  return texts
    .flatMap((text) => text.split('\n').filter((line) => line !== ''))
    .map((line) => (JSON.parse(line) as { data: { n: number } }).data.n)
}

const until = (directory: string, many: number): Promise<number[]> =>
  eventually(
    `${many} lines`,
    async () => {
      const numbers = await numbersIn(directory).catch(() => [])
      return numbers.length >= many ? numbers : undefined
    },
    40_000,
  )

const upTo = (many: number): number[] => Array.from({ length: many }, (_, n) => n)

test('SK4 each event is a line once, in order, in files of their size, though processes are killed at any moment', async () => {
  const where = await place(connection)
  const directory = await folder()
  const { url } = await sharedServer()
  const worker = fileURLToPath(new URL('./file-sink-worker.ts', import.meta.url))
  const publishing = ask(connection, where, 1_200)
  for (let round = 0; round < 2; round++) {
    const args = [...testProgram(worker), url, where.stream.name, directory]
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
    const gone = new Promise((resolve) => child.once('exit', resolve))
    await new Promise((resolve) => child.stdout.once('data', resolve))
    await systemClock.sleep(60 + 120 * round)
    child.kill('SIGKILL')
    await gone
    // what a process has left that died between a write and its position
    const last = (await readdir(directory)).sort().at(-1)
    if (last !== undefined) await appendFile(join(directory, last), '{"torn":')
  }
  await publishing
  start(where, directory, { name: 'killed', rotate: { bytes: 20_000 } })
  assert.equal(await until(directory, 1_200), upTo(1_200))
  assert.ok((await readdir(directory)).length > 10)
})

test('SK4 two that are at it at once write nothing twice', async () => {
  const where = await place(connection)
  const directory = await folder()
  const { url } = await sharedServer()
  const one = start(where, directory, {}, await connectTo(url))
  await ask(connection, where, 20)
  await until(directory, 20)
  const other = start(where, directory)
  await ask(connection, where, 200, { from: 20 })
  assert.equal(await until(directory, 220), upTo(220))
  await Promise.all([one.stop(), other.stop()])
  assert.equal(await numbersIn(directory), upTo(220))
})

test('SK5 with no room left it stands still and says so, and goes on when there is room', async () => {
  const where = await place(connection)
  const directory = await folder()
  await ask(connection, where, 1)
  const { manager } = connection
  const { first_seq: first } = (await manager.streams.info(where.stream.name)).state
  const file = join(directory, `full-${String(first).padStart(12, '0')}.ndjson`)
  await symlink('/dev/full', file)
  const run = start(where, directory, { name: 'full' })
  await eventually('it says why', () => run.status.stall?.code === 'SINK_FILE_FULL' || undefined)
  await ask(connection, where, 4, { from: 1 })
  await rm(file)
  assert.equal(await until(directory, 5), upTo(5))
  await eventually('it goes on', () => (run.status.state === 'working' && run.status.stall === undefined) || undefined)
})

test('SK4 what a sink has written of a stream that was deleted and made again is kept', async () => {
  const [where, directory] = [await place(connection), await folder()]
  const { config } = await connection.manager.streams.info(where.stream.name)
  for (const from of [0, 100]) {
    await ask(connection, where, 5, { from })
    const run = start(where, directory)
    await eventually('they are written', () => run.status.done === 5 || undefined)
    await run.stop()
    await connection.manager.streams.delete(where.stream.name)
    await connection.manager.streams.add(config)
  }
  assert.equal((await numbersIn(directory)).sort(), [0, 1, 100, 101, 102, 103, 104, 2, 3, 4])
})

test('SK4 a file that begins with the sink’s own lines, and was not made sure of, is written again and not set aside', async () => {
  const directory = await folder()
  const lines = ['one\n', 'two\n', 'three\n'].join('')
  for (const found of ['one\ntwo\n{"torn":', 'one\nof former code\n', 'on', '\0\0\0\0']) {
    await writeFile(join(directory, 'a'), found)
    const segments = new Segments(directory, async () => undefined)
    await segments.write({ file: 'a', offset: 0, bytes: Buffer.from(lines) })
    await segments.close()
    assert.equal([await readFile(join(directory, 'a'), 'utf8'), await readdir(directory)], [lines, ['a']], found)
  }
})

test('SK4 who was frozen before it sets a file aside leaves that of the new owner where it is', async () => {
  const directory = await folder()
  const path = join(directory, 'a')
  await writeFile(path, 'of the former stream\n')
  const segments = new Segments(directory, async () => {
    await rename(path, join(directory, 'former'))
    await writeFile(path, 'new 1\n')
  })
  const piece = { file: 'a', offset: 0, bytes: Buffer.from('new 1\nnew 2\n') }
  const code = await segments.write(piece).catch((error: { code?: string }) => error.code)
  assert.equal([code, await readFile(path, 'utf8')], ['EDGE_FENCED', 'new 1\n'])
})

test('a file that is gone or was cut ends the sink with a code, and nothing is written elsewhere', async () => {
  const where = await place(connection)
  const directory = await folder()
  const first = start(where, directory)
  await ask(connection, where, 5)
  await until(directory, 5)
  await eventually('its place is stored', () => first.status.done === 5 || undefined)
  await first.stop()
  const [file = ''] = await readdir(directory)
  await truncate(join(directory, file), 10)
  const codeOf = (run: EdgeRun): Promise<string> =>
    run.ended.then(
      () => 'none',
      (error: Error & { code?: string }) => error.code ?? '',
    )
  assert.is(await codeOf(start(where, directory)), 'SINK_FILE_LOST')
  await rm(join(directory, file))
  assert.is(await codeOf(start(where, directory)), 'SINK_FILE_LOST')
  assert.equal(await readdir(directory), [])
})

test('a line that cannot be made is a dead letter, and the others are written', async () => {
  const where = await place(connection)
  const directory = await folder()
  const line: Options['line'] = ({ data }) => {
    if (data.n === 1) throw new Error('not this one')
    return data.n === 2 ? undefined : JSON.stringify({ data: { n: data.n } })
  }
  const run = start(where, directory, { line })
  await ask(connection, where, 5)
  assert.equal(await until(directory, 3), [0, 3, 4])
  const [letter] = await letters(connection, where)
  assert.equal([letter?.code, letter?.detail], ['SINK_LINE_INVALID', 'not this one'])
  await eventually('counted', () => (run.status.done === 3 && run.status.letters === 1) || undefined)
})

test('SK4 where lines go follows from the lines, however they come in batches', () => {
  const lines = fc.array(
    fc.record({ size: fc.integer({ min: 1, max: 40 }), gap: fc.integer({ min: 0, max: 900 }), more: fc.boolean() }),
    { maxLength: 40 },
  )
  fc.assert(
    fc.property(lines, fc.array(fc.integer({ min: 1, max: 6 })), (given, cuts) => {
      let [sequence, storedAt] = [0, 0]
      const all: Line[] = given.map(({ size, gap, more }, at) => {
        if (!more) sequence += 1
        storedAt += gap
        return { sequence: Math.max(1, sequence), storedAt, bytes: Buffer.alloc(size, at) }
      })
      const write = (parts: readonly (readonly Line[])[]): Map<string, Buffer> => {
        const files = new Map<string, Buffer>()
        let from: FilePlace = BEGINNING
        for (const part of parts) {
          const laid = layOut('s', { bytes: 60, every: 1_000 }, from, part)
          for (const { file, offset, bytes } of laid.pieces) {
            const before = files.get(file) ?? Buffer.alloc(0)
            assert.is(before.length, offset, 'no hole, nothing overwritten')
            files.set(file, Buffer.concat([before, bytes]))
          }
          from = laid.place
        }
        return files
      }
      const parts: Line[][] = []
      for (let at = 0, turn = 0; at < all.length; turn++) {
        // a message is never divided: its lines are in one batch
        let end = at + (cuts[turn] ?? 5)
        while (end < all.length && all[end]?.sequence === all[end - 1]?.sequence) end++
        parts.push(all.slice(at, end))
        at = end
      }
      const whole = write([all])
      assert.equal(write(parts), whole)
      assert.ok(Buffer.concat([...whole.values()]).equals(Buffer.concat(all.map(({ bytes }) => bytes))))
    }),
  )
})

const owned = async (): Promise<void> => undefined

/** A file with two lines behind the place of one who was killed. */
async function leftBehind(directory: string): Promise<FilePlace> {
  const segments = new Segments(directory, owned)
  await segments.write({ file: 'a', offset: 0, bytes: Buffer.from('one\n') })
  await segments.write({ file: 'a', offset: 4, bytes: Buffer.from('two\nthree\n') })
  await segments.close()
  return { sequence: 1, file: 'a', offset: 4, span: 0 }
}

test('SK4 who was frozen and wakes up takes nothing away of what another one has written meanwhile', async () => {
  const directory = await folder()
  const from = await leftBehind(directory)
  const never = (): Promise<void> => Promise.reject(new Error('nothing is to be cut'))
  const [frozen, other] = [new Segments(directory, never), new Segments(directory, never)]
  assert.ok(await frozen.begin(from))
  assert.ok(await other.begin(from))
  await other.write({ file: 'a', offset: 4, bytes: Buffer.from('two\nthree\nfour\n') })
  await other.write({ file: 'b', offset: 0, bytes: Buffer.from('five\nsix\n') })
  await frozen.write({ file: 'a', offset: 4, bytes: Buffer.from('two\n') })
  await frozen.close()
  const late = new Segments(directory, never)
  await late.write({ file: 'b', offset: 0, bytes: Buffer.from('five\n') })
  await Promise.all([late.close(), other.close()])
  assert.is(await readFile(join(directory, 'a'), 'utf8'), 'one\ntwo\nthree\nfour\n')
  assert.is(await readFile(join(directory, 'b'), 'utf8'), 'five\nsix\n')
})

test('SK4 what is behind the place and is not what comes next is cut off, but only by who is the owner', async () => {
  const directory = await folder()
  const from = await leftBehind(directory)
  const piece = { file: 'a', offset: 4, bytes: Buffer.from('2\n') }
  const fenced = new Segments(directory, () => Promise.reject(new Error('fenced')))
  await fenced.begin(from)
  assert.match(await fenced.write(piece).then(() => 'written', String), /fenced/)
  assert.is(await readFile(join(directory, 'a'), 'utf8'), 'one\ntwo\nthree\n')
  const owner = new Segments(directory, owned)
  await owner.begin(from)
  await owner.write(piece)
  assert.is(await readFile(join(directory, 'a'), 'utf8'), 'one\n2\n')
  // what comes next agrees with what is there, but there is no more of it
  await appendFile(join(directory, 'a'), '3\n4')
  await owner.write({ file: 'a', offset: 6, bytes: Buffer.from('3\n') })
  assert.is(await readFile(join(directory, 'a'), 'utf8'), 'one\n2\n3\n4')
  await owner.settle()
  assert.is(await readFile(join(directory, 'a'), 'utf8'), 'one\n2\n3\n')
  await appendFile(join(directory, 'a'), '4')
  await owner.write({ file: 'b', offset: 0, bytes: Buffer.from('4\n') })
  assert.is(await readFile(join(directory, 'a'), 'utf8'), 'one\n2\n3\n')
  await owner.close()
})

test.run()
