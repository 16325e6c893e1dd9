// The file that a source reads, whatever others do with it: found by what it is and not by its name alone.
import { createHash } from 'node:crypto'
import { open, readdir, stat, type FileHandle } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { fault, messageOf } from '../../error/millrace-error.js'

/** Where a source is. */
export interface TailPlace {
  /** Device and number of the file: a renamed one keeps them. */
  readonly inode: string
  /** Which file this is, from 1. */
  readonly generation: number
  /** Of the next record, in bytes. */
  readonly offset: number
  /** Number of its line, from 1. */
  readonly line: number
  /** The first bytes, up to `headBytes`, as a hash: another file may get the number of one that was removed. */
  readonly head: string
  readonly headBytes: number
  /** Of a CSV file: what its first line says. */
  readonly columns?: readonly string[]
}

export function isTailPlace(value: unknown): value is TailPlace {
  if (typeof value !== 'object' || value === null) return false
  const { inode, generation, offset, line, head, headBytes } = value as Partial<TailPlace>
  const numbers = [generation, offset, line, headBytes].every((one) => Number.isSafeInteger(one))
  return numbers && typeof inode === 'string' && typeof head === 'string'
}

const HEAD_BYTES = 256

/** An open file. */
export interface TailFile {
  readonly handle: FileHandle
  readonly inode: string
}

/** @returns undefined: there is none @throws SOURCE_FILE_FAILED */
export async function openFile(path: string): Promise<TailFile | undefined> {
  try {
    const handle = await open(path, 'r')
    return { handle, inode: inodeOf(await handle.stat({ bigint: true })) }
  } catch (error) {
    if (isMissing(error)) return undefined
    throw failed(error)
  }
}

/** Number of the file that has the name now; undefined: none has. */
export async function inodeAt(path: string): Promise<string | undefined> {
  try {
    return inodeOf(await stat(path, { bigint: true }))
  } catch (error) {
    if (isMissing(error)) return undefined
    throw failed(error)
  }
}

/** The file of a place, under its name or another one in the same folder. */
export async function findFile(path: string, place: TailPlace): Promise<TailFile | undefined> {
  const folder = dirname(path)
  const names = await namesIn(folder)
  const own = basename(path)
  // rotated files are named after the first: those that are not are looked at last
  names.sort((a, b) => Number(b.startsWith(own)) - Number(a.startsWith(own)))
  for (const name of names) {
    const candidate = join(folder, name)
    if ((await inodeAt(candidate)) !== place.inode) continue
    const file = await openFile(candidate)
    if (file === undefined) continue
    if (file.inode === place.inode && (await isSame(file.handle, place))) return file
    await file.handle.close()
  }
  return undefined
}

/** @throws SOURCE_FILE_FAILED */
async function namesIn(folder: string): Promise<string[]> {
  try {
    return await readdir(folder)
  } catch (error) {
    if (isMissing(error)) return []
    throw failed(error)
  }
}

/** What a rotated file has behind the name: a number, a date. */
const ROTATED = /^[.-]\d[\d._T:-]*$/

/** The first of those that had the name after a file, and were renamed as well since. @throws SOURCE_FILE_FAILED */
export async function nextRotated(path: string, last: TailFile): Promise<TailFile | undefined> {
  const [folder, own] = [dirname(path), basename(path)]
  const { birthtimeNs: after } = await last.handle.stat({ bigint: true })
  let next: { readonly name: string; readonly inode: string; readonly at: bigint } | undefined
  for (const name of await namesIn(folder)) {
    if (!name.startsWith(own) || !ROTATED.test(name.slice(own.length))) continue
    const found = await stat(join(folder, name), { bigint: true }).catch((error: unknown) => {
      if (isMissing(error)) return undefined // it was renamed once more, or deleted
      throw failed(error)
    })
    if (found?.isFile() !== true || inodeOf(found) === last.inode) continue
    const at = found.birthtimeNs
    if (at > after && (next === undefined || at < next.at)) next = { name, inode: inodeOf(found), at }
  }
  if (next === undefined) return undefined
  const file = await openFile(join(folder, next.name))
  if (file?.inode === next.inode) return file
  await file?.handle.close()
  return nextRotated(path, last) // it was renamed once more in between
}

/** Whether a file begins as the one of the place did, and has what was read of it. */
export async function isSame(handle: FileHandle, { head, headBytes, offset }: TailPlace): Promise<boolean> {
  if ((await sizeOf(handle)) < offset) return false
  return headBytes === 0 || (await headOf(handle, headBytes)).head === head
}

/** What a file begins with, as far as it has so much. */
export async function headOf(handle: FileHandle, most: number): Promise<Pick<TailPlace, 'head' | 'headBytes'>> {
  const bytes = await readAt(handle, 0, Math.min(most, HEAD_BYTES))
  return { head: createHash('sha256').update(bytes).digest('hex').slice(0, 16), headBytes: bytes.length }
}

export async function sizeOf(handle: FileHandle): Promise<number> {
  return (await handle.stat()).size
}

/** As many bytes as there are, at most so many. @throws SOURCE_FILE_FAILED */
export async function readAt(handle: FileHandle, offset: number, most: number): Promise<Uint8Array> {
  const buffer = Buffer.alloc(most)
  let length = 0
  try {
    while (length < most) {
      const { bytesRead } = await handle.read(buffer, length, most - length, offset + length)
      if (bytesRead === 0) break
      length += bytesRead
    }
  } catch (error) {
    throw failed(error)
  }
  return buffer.subarray(0, length)
}

function inodeOf({ dev, ino }: { readonly dev: bigint; readonly ino: bigint }): string {
  return `${dev}:${ino}`
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR')
}

function failed(error: unknown): Error {
  return fault('SOURCE_FILE_FAILED', messageOf(error), { cause: error })
}
