import { gunzipSync, inflateRawSync } from 'node:zlib'

/**
 * Takes the one file called `name` out of an archive, whatever directory it is in. Nothing is written, so a path in
 * the archive cannot lead anywhere. Sizes are checked; a checksum is not, since the whole archive was checked before.
 * @param format `tar.gz` (POSIX.1-1988 headers, which pax and GNU extend) or `zip` (stored or deflated entries)
 * @returns undefined when it is not there or the archive is cut short
 */
export function extractFile(archive: Buffer, format: 'tar.gz' | 'zip', name: string): Buffer | undefined {
  return format === 'zip' ? fromZip(archive, name) : fromTar(gunzipSync(archive), name)
}

const BLOCK = 512

function fromTar(tar: Buffer, name: string): Buffer | undefined {
  for (let at = 0; at + BLOCK <= tar.length;) {
    const field = (start: number, length: number): string =>
      tar.toString('latin1', at + start, at + start + length).replace(/\0.*$/s, '')
    const path = field(0, 100)
    if (path === '') return undefined // two empty blocks end an archive
    const size = Number.parseInt(field(124, 12).trim() || '0', 8)
    const type = field(156, 1)
    if (Number.isNaN(size)) return undefined
    const start = at + BLOCK
    if ((type === '' || type === '0') && isNamed(path, name))
      return start + size <= tar.length ? tar.subarray(start, start + size) : undefined
    at = start + Math.ceil(size / BLOCK) * BLOCK
  }
  return undefined
}

const END_RECORD = 0x06054b50
const ENTRY = 0x02014b50

/** Reads by the central directory, as APPNOTE.TXT 4.3 asks: local headers may leave the sizes out. */
function fromZip(zip: Buffer, name: string): Buffer | undefined {
  let end = zip.length - 22
  while (end >= 0 && zip.readUInt32LE(end) !== END_RECORD) end -= 1
  if (end < 0) return undefined
  let at = zip.readUInt32LE(end + 16)
  for (let left = zip.readUInt16LE(end + 10); left > 0; left -= 1) {
    if (at + 46 > zip.length || zip.readUInt32LE(at) !== ENTRY) return undefined
    const [nameLength, extra, comment] = [28, 30, 32].map((offset) => zip.readUInt16LE(at + offset)) as [
      number,
      number,
      number,
    ]
    if (isNamed(zip.toString('utf8', at + 46, at + 46 + nameLength), name))
      return entryData(zip, zip.readUInt32LE(at + 42), zip.readUInt16LE(at + 10), zip.readUInt32LE(at + 20))
    at += 46 + nameLength + extra + comment
  }
  return undefined
}

function entryData(zip: Buffer, header: number, method: number, size: number): Buffer | undefined {
  if (header + 30 > zip.length) return undefined
  const start = header + 30 + zip.readUInt16LE(header + 26) + zip.readUInt16LE(header + 28)
  if (start + size > zip.length) return undefined
  const data = zip.subarray(start, start + size)
  if (method === 0) return data
  return method === 8 ? inflateRawSync(data) : undefined
}

function isNamed(path: string, name: string): boolean {
  return path === name || path.endsWith(`/${name}`)
}
