// TailReader
//
// Reads a file that others append to, rename, replace and empty.
//
//   file -> TailReader:    bytes behind the place, as far as lines have ended
//   TailReader -> source:  records, each with the place behind it
//
// Invariants (tests cite them):
//   SO4  A line is read when it has ended; of a file that was renamed the last one is, though it has no end, when nothing
//        more comes. A renamed file is read to its end before the one that took its name, also after a crash.
import { fault } from '../../error/millrace-error.js'
import type { WireMessage } from '../../event/wire.js'
import type { Log } from '../../observe/log.js'
import type { Clock } from '../../time/clock.js'
import { sourceId } from '../edge-status.js'
import { letterOfInput } from '../source/source-letter.js'
import { asInputFault, parseInput, textOf, type SourceMessages } from '../source/source-message.js'
import type { Input, SourceReader } from '../source/source-run.js'
import type { FileSourceDeclaration } from './define-file-source.js'
import { cutRecord, readFields, readRow } from './records.js'
import {
  findFile,
  headOf,
  inodeAt,
  isSame,
  nextRotated,
  openFile,
  readAt,
  sizeOf,
  type TailFile,
  type TailPlace,
} from './tail-file.js'

export interface TailOptions {
  readonly declaration: FileSourceDeclaration
  readonly clock: Clock
  readonly log: Log
  readonly signal: AbortSignal
  readonly messages: SourceMessages
  /** Of the stream, for dead letters. */
  readonly root: string
  readonly maxPayload: number
}

const CHUNK = 256 * 1024
const MOST_RECORDS = 500
const HEAD_BYTES = 256
/** How long nothing has to come in a file that was renamed, in ms: whoever writes may do so for a while. */
const SETTLE_MS = 1_000
const LETTER_BYTES = 4_096

export class TailReader implements SourceReader<TailPlace> {
  readonly #options: TailOptions
  #file: TailFile
  #place: TailPlace
  /** Since when it has had that size, after another file got its name. */
  #quiet: { readonly size: number; readonly since: number } | undefined

  /** @throws SOURCE_FILE_MISSING, SOURCE_FILE_FAILED */
  static async open(options: TailOptions, place: TailPlace | undefined): Promise<TailReader> {
    const { declaration, log } = options
    const found = place === undefined ? undefined : await findFile(declaration.file, place)
    if (place !== undefined && found !== undefined) return new TailReader(options, found, place)
    const file = await openFile(declaration.file)
    if (file === undefined) throw fault('SOURCE_FILE_MISSING', declaration.file)
    if (place !== undefined)
      log.warn(
        { edge: sourceId(declaration.name), code: 'SOURCE_FILE_REPLACED', line: place.line, offset: place.offset },
        'the file that was read is gone: what it may have had behind this line was not read',
      )
    return new TailReader(options, file, beginning(file, (place?.generation ?? 0) + 1))
  }

  private constructor(options: TailOptions, file: TailFile, place: TailPlace) {
    this.#options = options
    this.#file = file
    this.#place = place
  }

  async next(): Promise<readonly Input<TailPlace>[] | undefined> {
    const { clock, declaration, signal } = this.#options
    for (;;) {
      if (signal.aborted) return undefined
      if (!(await isSame(this.#file.handle, this.#place)))
        this.#place = beginning(this.#file, this.#place.generation + 1) // it was emptied, and is written anew
      const inputs = await this.#read()
      if (inputs.length > 0) return inputs
      const renamed = await this.#isLeft()
      const rest = renamed ? await this.#rest() : undefined
      if (rest !== undefined) return [rest]
      if (!renamed || !(await this.#goOn())) await clock.sleep(declaration.poll, signal).catch(() => undefined)
    }
  }

  async stop(): Promise<void> {
    await this.#file.handle.close()
  }

  async #read(): Promise<readonly Input<TailPlace>[]> {
    const { handle } = this.#file
    const { longest, format } = this.#options.declaration
    const { offset } = this.#place
    const waiting = (await sizeOf(handle)) - offset
    if (waiting <= 0) return []
    const bytes = await readAt(handle, offset, Math.min(waiting, Math.max(CHUNK, longest + 2)))
    const inputs: Input<TailPlace>[] = []
    for (let from = 0; inputs.length < MOST_RECORDS;) {
      const cut = cutRecord(bytes, from, format === 'csv')
      if (cut === undefined) break
      inputs.push(this.#input(bytes.subarray(from, cut.end), cut.next - from, cut.lines))
      from = cut.next
    }
    if (inputs.length === 0 && bytes.length > longest) inputs.push(...(await this.#passOver(bytes)))
    const last = inputs.at(-1)
    return last === undefined ? [] : [...inputs.slice(0, -1), await this.#headed(last)]
  }

  /** With the first bytes, as far as they are read: they say which file it is. */
  async #headed(last: Input<TailPlace>): Promise<Input<TailPlace>> {
    if (last.place.headBytes >= HEAD_BYTES) return last
    this.#place = { ...last.place, ...(await headOf(this.#file.handle, last.place.offset)) }
    return { ...last, place: this.#place }
  }

  /** A line that is too long, when it has ended. */
  async #passOver(start: Uint8Array): Promise<readonly Input<TailPlace>[]> {
    const { offset } = this.#place
    for (let length = start.length; ;) {
      const more = await readAt(this.#file.handle, offset + length, CHUNK)
      if (more.length === 0) return []
      const end = more.indexOf(10)
      if (end !== -1) return [this.#input(start, length + end + 1, 1, true)]
      length += more.length
    }
  }

  #input(bytes: Uint8Array, length: number, lines: number, tooLong = false): Input<TailPlace> {
    const { declaration, messages, clock, root, maxPayload } = this.#options
    const { longest, name, format, file } = declaration
    const { offset, line, generation } = this.#place
    let { columns = declaration.columns } = this.#place
    const isHeader = format === 'csv' && columns === undefined
    if (isHeader) columns = columnsOf(bytes, declaration.separator)
    this.#place = { ...this.#place, offset: offset + length, line: line + lines, ...(columns && { columns }) }
    const time = clock.now()
    const message = (): WireMessage | undefined => {
      if (tooLong || bytes.length > longest) throw fault('SOURCE_LINE_TOO_LONG', `more than ${longest} bytes`)
      const text = textOf(bytes)
      if (isHeader || text.trim() === '') return undefined
      return messageOf(declaration, messages, text, columns ?? [], { id: `${generation}-${offset}`, time })
    }
    const letter: Input<TailPlace>['letter'] = (error) => {
      const headers = [
        ['Millrace-File', encodeURI(file)],
        ['Millrace-Line', String(line)],
      ] as const
      const data = tooLong ? bytes.subarray(0, LETTER_BYTES) : bytes
      const where = { at: offset, which: String(generation), subject: `${root}._.${name}`, time, headers, data }
      return letterOfInput(name, where, error, maxPayload)
    }
    return { place: this.#place, message, letter }
  }

  /** Whether another file has the name, and nothing more has come in this one for a while. */
  async #isLeft(): Promise<boolean> {
    const { clock, declaration } = this.#options
    const now = await inodeAt(declaration.file)
    if (now === undefined || now === this.#file.inode) return false
    const size = await sizeOf(this.#file.handle)
    if (size !== this.#quiet?.size) this.#quiet = { size, since: clock.monotonic() }
    return clock.monotonic() - this.#quiet.since >= SETTLE_MS
  }

  /** What a file has at its end that nobody will end any more. */
  async #rest(): Promise<Input<TailPlace> | undefined> {
    const { handle } = this.#file
    const { offset } = this.#place
    const length = (await sizeOf(handle)) - offset
    if (length <= 0) return undefined
    const { longest } = this.#options.declaration
    const bytes = await readAt(handle, offset, Math.min(length, longest + 1))
    return this.#headed(this.#input(bytes, length, 1, length > longest))
  }

  async #goOn(): Promise<boolean> {
    const { file } = this.#options.declaration
    const next = (await nextRotated(file, this.#file)) ?? (await openFile(file))
    if (next === undefined) return false
    await this.#file.handle.close()
    this.#file = next
    this.#place = beginning(next, this.#place.generation + 1)
    this.#quiet = undefined
    return true
  }
}

function beginning({ inode }: TailFile, generation: number): TailPlace {
  return { inode, generation, offset: 0, line: 1, head: '', headBytes: 0 }
}

/** Of a first line that cannot be read none: each row of the file is a dead letter then. */
function columnsOf(bytes: Uint8Array, separator: string): readonly string[] {
  try {
    return readFields(textOf(bytes), separator)
  } catch {
    return []
  }
}

function messageOf(
  { format, separator, map }: FileSourceDeclaration,
  messages: SourceMessages,
  text: string,
  columns: readonly string[],
  defaults: { readonly id: string; readonly time: number },
): WireMessage | undefined {
  const record = format === 'csv' ? readRow(text, separator, columns) : format === 'ndjson' ? parseInput(text) : text
  if (map === undefined) return messages.ofRecord(record, defaults)
  let draft
  try {
    draft = map(record)
  } catch (error) {
    throw asInputFault(error)
  }
  return draft === undefined ? undefined : messages.ofDraft(draft, defaults)
}
