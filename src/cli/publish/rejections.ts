import { createWriteStream, type WriteStream } from 'node:fs'
import { once } from 'node:events'
import { fault, messageOf, type Issue } from '../../error/millrace-error.js'
import type { ErrorCode } from '../../error/catalogue.js'

/** One line of the input that was not published, and why. */
export interface RejectedLine {
  readonly line: number
  readonly code: ErrorCode
  readonly detail: string
  readonly issues: readonly Issue[]
}

/** Rejections beyond this many are counted and written to the file, but not kept for the report. */
const KEPT = 1_000

/** Collects what was rejected: the first for the report, all for the file of `--rejected`. */
export class Rejections {
  readonly #kept: RejectedLine[] = []
  readonly #byCode = new Map<ErrorCode, number>()
  readonly #file: WriteStream | undefined
  #count = 0
  /** Why the file took no more. */
  #problem: Error | undefined

  private constructor(file: WriteStream | undefined) {
    this.#file = file
    file?.on('error', (error) => (this.#problem ??= error))
  }

  /** @throws OUTPUT_UNWRITABLE */
  static async open(path: string | undefined): Promise<Rejections> {
    if (path === undefined) return new Rejections(undefined)
    const file = createWriteStream(path)
    try {
      await once(file, 'open')
    } catch (error) {
      throw fault('OUTPUT_UNWRITABLE', messageOf(error), { cause: error })
    }
    return new Rejections(file)
  }

  get count(): number {
    return this.#count
  }

  /** The first of them, by line. */
  get kept(): readonly RejectedLine[] {
    return this.#kept.toSorted((a, b) => a.line - b.line)
  }

  get byCode(): ReadonlyMap<ErrorCode, number> {
    return this.#byCode
  }

  add(rejected: RejectedLine, text: string | undefined): void {
    this.#count += 1
    this.#byCode.set(rejected.code, (this.#byCode.get(rejected.code) ?? 0) + 1)
    if (this.#kept.length < KEPT) this.#kept.push(rejected)
    this.#file?.write(`${JSON.stringify({ ...rejected, text })}\n`)
  }

  /** @throws OUTPUT_UNWRITABLE */
  async close(): Promise<void> {
    const file = this.#file
    if (file === undefined) return
    await new Promise<void>((resolve) => {
      if (file.closed) return resolve()
      file.once('close', resolve) // behind an error, if there is one
      file.end()
    })
    const cause = this.#problem
    if (cause !== undefined) throw fault('OUTPUT_UNWRITABLE', messageOf(cause), { cause })
  }
}
