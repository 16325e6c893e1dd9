// Stand-ins for a nats-server executable, for the tests of the search for one.
import { chmod, mkdir, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { gzipSync } from 'node:zlib'

/** The text of a program that answers `-v` as nats-server does. */
export function fakeServer(version: string): string {
  return `#!/bin/sh\necho "nats-server: v${version}"\n`
}

/** Writes an executable file, with the directories above it. */
export async function writeProgram(path: string, text: string): Promise<string> {
  await mkdir(dirname(path), { recursive: true })
  await writeFile(path, text)
  await chmod(path, 0o755)
  return path
}

/** A tar.gz with the given files in it, in POSIX.1-1988 form. */
export function tarGz(files: Readonly<Record<string, string | Buffer>>): Buffer {
  const blocks: Buffer[] = []
  for (const [path, content] of Object.entries(files)) {
    const data = Buffer.from(content)
    const header = Buffer.alloc(512)
    header.write(path, 0)
    header.write('0000755\0', 100)
    header.write(`${data.length.toString(8).padStart(11, '0')}\0`, 124)
    header.write('0', 156)
    blocks.push(header, data, Buffer.alloc((512 - (data.length % 512)) % 512))
  }
  return gzipSync(Buffer.concat([...blocks, Buffer.alloc(1024)]))
}
