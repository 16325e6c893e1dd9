// The files of a sink: where each line is follows from the log alone, so that who writes a line again writes the same bytes
// to the same place.
import { open, mkdir, rename, stat, type FileHandle } from 'node:fs/promises'
import { constants } from 'node:fs'
import { join } from 'node:path'
import { fault, messageOf, type MillraceError } from '../../error/millrace-error.js'
import { agrees, beginsAlike } from './same-lines.js'

/** How far a file sink is. */
export interface FilePlace {
  /** Sequence of the last message whose lines are written. */
  readonly sequence: number
  /** The file that is written to; empty: none yet. */
  readonly file: string
  /** Where its next line begins, in bytes. */
  readonly offset: number
  /** Span that its first line was stored in. */
  readonly span: number
}

export const BEGINNING: FilePlace = Object.freeze({ sequence: 0, file: '', offset: 0, span: 0 })

export function isFilePlace(value: unknown): value is FilePlace {
  if (typeof value !== 'object' || value === null) return false
  const { sequence, file, offset, span } = value as Partial<FilePlace>
  return (
    [sequence, offset, span].every((one) => Number.isSafeInteger(one)) &&
    typeof file === 'string' &&
    !file.includes('/')
  )
}

/** A line and where it comes from. */
export interface Line {
  readonly sequence: number
  readonly storedAt: number
  /** With its end. */
  readonly bytes: Uint8Array
}

/** Lines that go to one place. */
export interface Piece {
  readonly file: string
  readonly offset: number
  readonly bytes: Uint8Array
}

/** Which lines go where, and how far the sink is then. Pure. */
export function layOut(
  name: string,
  rotate: { readonly bytes: number; readonly every: number },
  from: FilePlace,
  lines: readonly Line[],
): { readonly pieces: readonly Piece[]; readonly place: FilePlace } {
  const pieces: Piece[] = []
  let place = from
  let parts: Uint8Array[] = []
  let begun = from.offset
  const finish = (): void => {
    if (parts.length > 0) pieces.push({ file: place.file, offset: begun, bytes: Buffer.concat(parts) })
    parts = []
  }
  for (const { sequence, storedAt, bytes } of lines) {
    const span = rotate.every === 0 ? 0 : Math.floor(storedAt / rotate.every)
    const full = place.offset > 0 && place.offset + bytes.length > rotate.bytes
    if (place.file === '' || full || span !== place.span) {
      finish()
      begun = 0
      place = { sequence: place.sequence, file: fileName(name, sequence, place), offset: 0, span }
    }
    parts.push(bytes)
    place = { ...place, sequence, offset: place.offset + bytes.length }
  }
  finish()
  return { pieces, place }
}

/** Named after its first line; several files that begin within one message (a pack) are told apart by a letter. */
function fileName(name: string, sequence: number, before: FilePlace): string {
  const plain = `${name}-${String(sequence).padStart(12, '0')}`
  if (!before.file.startsWith(plain)) return `${plain}.ndjson`
  const number = Number(/\.(\d+)\.ndjson$/.exec(before.file)?.[1] ?? 0) + 1
  return `${plain}.${number}.ndjson`
}

/** A file that is written to, and where the last line ends that is known to belong there. */
interface OpenFile {
  readonly file: string
  readonly handle: FileHandle
  readonly end: number
}

/**
 * The folder of a sink, with the file open that is written to.
 *
 * What is behind the place was written by somebody who did not live to say so, or does not know yet that another one is at
 * it. As a rule it is what comes next anyway, and it is written over with the same bytes: so of two who are at it, neither
 * takes anything away from the other. It is cut off only where it is something else: a line that broke off with the
 * machine, or what former code has written. A file whose first line is another one, as that of a stream that was deleted, is
 * kept under another name.
 */
export class Segments {
  readonly #directory: string
  readonly #mayCut: () => Promise<void>
  readonly #onFormer: (file: string) => void
  #open: OpenFile | undefined

  /**
   * @param mayCut rejects when somebody else is at it by now: then nothing is cut off
   * @param onFormer a file that had the name of one that is begun has this name now
   */
  constructor(directory: string, mayCut: () => Promise<void>, onFormer: (file: string) => void = () => undefined) {
    this.#directory = directory
    this.#mayCut = mayCut
    this.#onFormer = onFormer
  }

  /** @returns whether anything is behind the place @throws as write */
  async begin({ file, offset }: FilePlace): Promise<boolean> {
    return this.#doing(async () => {
      await mkdir(this.#directory, { recursive: true })
      if (file === '') return false
      const { handle } = await this.#fileOf(file, false)
      const size = await this.#sizeOf(file, handle, offset)
      this.#open = { file, handle, end: offset }
      return size > offset
    })
  }

  /** Writes it, and makes sure of it. @throws SINK_FILE_FULL, SINK_FILE_FAILED, SINK_FILE_LOST, and as mayCut */
  async write({ file, offset, bytes }: Piece): Promise<void> {
    await this.#doing(async () => {
      let { handle } = await this.#fileOf(file, offset === 0)
      const size = await this.#sizeOf(file, handle, offset)
      if (size > offset && !(await agrees(handle, offset, bytes))) {
        if (offset > 0 || (await beginsAlike(handle, bytes))) await this.#cut(handle, offset)
        else handle = await this.#setAside(file, handle)
      }
      for (let at = 0; at < bytes.length;)
        at += (await handle.write(bytes, at, bytes.length - at, offset + at)).bytesWritten
      await handle.datasync()
      this.#open = { file, handle, end: offset + bytes.length }
      if (offset === 0) await this.#syncDirectory()
    })
  }

  /** Nothing more belongs behind what was written: what is there is cut off. @throws as write */
  async settle(): Promise<void> {
    await this.#doing(async () => {
      if (this.#open === undefined) return
      const { handle, end } = this.#open
      if ((await handle.stat()).size > end) await this.#cut(handle, end)
    })
  }

  async close(): Promise<void> {
    const open = this.#open
    this.#open = undefined
    await open?.handle.close().catch(() => undefined) // what was made sure of is there
  }

  async #fileOf(file: string, anew: boolean): Promise<OpenFile> {
    if (this.#open?.file === file) return this.#open
    await this.settle() // the former one is complete
    await this.close()
    const handle = await open(join(this.#directory, file), constants.O_RDWR | (anew ? constants.O_CREAT : 0), 0o640)
    return (this.#open = { file, handle, end: 0 })
  }

  async #sizeOf(file: string, handle: FileHandle, offset: number): Promise<number> {
    const { size } = await handle.stat()
    if (size < offset) throw lost(join(this.#directory, file), `it has ${size} bytes, ${offset} were written`)
    return size
  }

  /** @returns the file that is begun in its place */
  async #setAside(file: string, handle: FileHandle): Promise<FileHandle> {
    const { ino, dev } = await handle.stat()
    const [path, former] = [join(this.#directory, file), `${file}.former-${ino}`]
    await this.#mayCut()
    const now = await stat(path)
    if (now.ino !== ino || now.dev !== dev) throw fault('EDGE_FENCED', `${path} was begun by another process`)
    await this.close()
    await rename(path, join(this.#directory, former))
    this.#onFormer(former)
    return (await this.#fileOf(file, true)).handle
  }

  async #cut(handle: FileHandle, offset: number): Promise<void> {
    await this.#mayCut()
    await handle.truncate(offset)
    await handle.sync()
  }

  /** A file whose name is not sure is not sure itself. */
  async #syncDirectory(): Promise<void> {
    const handle = await open(this.#directory, constants.O_RDONLY)
    try {
      await handle.sync()
    } finally {
      await handle.close()
    }
  }

  async #doing<Result>(work: () => Promise<Result>): Promise<Result> {
    try {
      return await work()
    } catch (error) {
      await this.close()
      throw asFileFault(error)
    }
  }
}

function asFileFault(error: unknown): unknown {
  if (!(error instanceof Error) || !('code' in error) || !('syscall' in error)) return error
  const { code } = error
  if (code === 'ENOSPC' || code === 'EDQUOT' || code === 'EFBIG')
    return fault('SINK_FILE_FULL', messageOf(error), { cause: error })
  if (code === 'ENOENT') return lost(messageOf(error))
  return fault('SINK_FILE_FAILED', messageOf(error), { cause: error })
}

function lost(file: string, why = ''): MillraceError {
  return fault('SINK_FILE_LOST', why === '' ? file : `${file}: ${why}`)
}
