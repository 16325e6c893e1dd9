/**
 * What the runtime does about an error, decided where the error is defined and read in one place.
 * - `retry`: the same work may succeed later
 * - `dead-letter`: this message can never succeed; keep it with its reason and go on
 * - `crash`: the process or processor must stop; a human has to act
 * - `reject`: the caller's request is refused; nothing was changed
 */
export type Disposition = 'retry' | 'dead-letter' | 'crash' | 'reject'

/** One row of the error catalogue. */
export interface ErrorEntry {
  readonly disposition: Disposition
  /** What it means, one sentence, without the particulars of one occurrence. */
  readonly means: string
  /** What to do about it, in the imperative. */
  readonly advice: string
  /** Process exit code of a command that ends with this error. See docs/errors.md. */
  readonly exit: number
  /** HTTP status of a problem document with this code. */
  readonly status: number
}
