import { execFileSync } from 'node:child_process'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { deflateRawSync } from 'node:zlib'
import * as fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { extractFile } from '../../src/broker/server-archive.ts'
import { tarGz } from '../support/fake-server.ts'
import { temporaryDirectory } from '../support/nats.ts'

const test = suite('server archive')

function zip(files: Readonly<Record<string, Buffer>>, method: 0 | 8): Buffer {
  const local: Buffer[] = []
  const central: Buffer[] = []
  let offset = 0
  for (const [path, content] of Object.entries(files)) {
    const data = method === 8 ? deflateRawSync(content) : content
    const name = Buffer.from(path)
    const header = Buffer.alloc(30)
    header.writeUInt32LE(0x04034b50, 0)
    header.writeUInt16LE(name.length, 26)
    header.writeUInt16LE(4, 28)
    const entry = Buffer.alloc(46)
    entry.writeUInt32LE(0x02014b50, 0)
    entry.writeUInt16LE(method, 10)
    entry.writeUInt32LE(data.length, 20)
    entry.writeUInt32LE(content.length, 24)
    entry.writeUInt16LE(name.length, 28)
    entry.writeUInt32LE(offset, 42)
    local.push(header, name, Buffer.alloc(4), data)
    central.push(entry, name)
    offset += 34 + name.length + data.length
  }
  const directory = Buffer.concat(central)
  const end = Buffer.alloc(22)
  end.writeUInt32LE(0x06054b50, 0)
  end.writeUInt16LE(Object.keys(files).length, 10)
  end.writeUInt32LE(directory.length, 12)
  end.writeUInt32LE(offset, 16)
  return Buffer.concat([...local, directory, end])
}

const bytes = fc.uint8Array({ maxLength: 2_000 }).map((array) => Buffer.from(array))

test('takes the named file out of a tar.gz and out of a zip, whatever stands before and after it', () => {
  fc.assert(
    fc.property(bytes, bytes, bytes, (before, wanted, after) => {
      const files = { 'x/README.md': before, 'x/nats-server': wanted, 'x/LICENSE': after }
      assert.ok(extractFile(tarGz(files), 'tar.gz', 'nats-server')?.equals(wanted))
      assert.ok(extractFile(zip(files, 8), 'zip', 'nats-server')?.equals(wanted))
      assert.ok(extractFile(zip(files, 0), 'zip', 'nats-server')?.equals(wanted))
    }),
  )
})

test('reads what the tar program writes', async () => {
  const directory = await temporaryDirectory()
  await mkdir(join(directory, 'release'))
  const content = Buffer.alloc(100_000, 'nats')
  await writeFile(join(directory, 'release', 'nats-server'), content)
  for (const format of ['ustar', 'pax', 'gnu']) {
    const archive = join(directory, `${format}.tar.gz`)
    execFileSync('tar', ['-czf', archive, `--format=${format}`, 'release'], { cwd: directory })
    assert.ok(extractFile(await readFile(archive), 'tar.gz', 'nats-server')?.equals(content), format)
  }
})

test('a file that is not there, or an archive cut short, gives nothing', () => {
  assert.is(extractFile(tarGz({ 'nats-server.exe': 'x' }), 'tar.gz', 'nats-server'), undefined)
  const whole = zip({ 'nats-server': Buffer.from('server') }, 8)
  assert.is(extractFile(whole.subarray(0, whole.length - 1), 'zip', 'nats-server'), undefined)
  assert.is(extractFile(Buffer.alloc(0), 'zip', 'nats-server'), undefined)
})

test.run()
