import { CATALOGUE, type ErrorCode } from './catalogue.js'
import type { Disposition } from './disposition.js'

/** One thing wrong at one place: a JSON pointer into data, or a line and column of a file. */
export interface Issue {
  /** What kind of thing, where that is more precise than the code of the error that lists it. */
  readonly code?: ErrorCode
  readonly detail: string
  readonly pointer?: string
  readonly file?: string
  readonly line?: number
  readonly column?: number
}

export interface ErrorOptions {
  readonly cause?: unknown
  readonly issues?: readonly Issue[]
}

/** The only error class of Millrace. `code` says which, the catalogue says what it means and what to do. */
export class MillraceError extends Error {
  override readonly name = 'MillraceError'
  readonly code: ErrorCode
  readonly detail: string
  readonly issues: readonly Issue[]

  constructor(code: ErrorCode, detail: string, options: ErrorOptions = {}) {
    super(`${code}: ${CATALOGUE[code].means}${detail === '' ? '' : ` (${detail})`}`, { cause: options.cause })
    this.code = code
    this.detail = detail
    this.issues = options.issues ?? []
  }

  get disposition(): Disposition {
    return CATALOGUE[this.code].disposition
  }

  get advice(): string {
    return CATALOGUE[this.code].advice
  }

  get exit(): number {
    return CATALOGUE[this.code].exit
  }

  get status(): number {
    return CATALOGUE[this.code].status
  }
}

/** Makes the error for a code; the caller throws it. */
export function fault(code: ErrorCode, detail: string, options: ErrorOptions = {}): MillraceError {
  return new MillraceError(code, detail, options)
}

export function isFault(error: unknown, ...codes: readonly ErrorCode[]): error is MillraceError {
  return error instanceof MillraceError && (codes.length === 0 || codes.includes(error.code))
}

/** The message of anything that was thrown. Never throws, though it be something that has no text. */
export function messageOf(thrown: unknown): string {
  try {
    return thrown instanceof Error ? String(thrown.message) : String(thrown)
  } catch {
    return Object.prototype.toString.call(thrown)
  }
}
