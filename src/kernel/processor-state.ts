import type { MillraceError } from '../error/millrace-error.js'
import type { JournalCursor, Recovery } from './recovery.js'

/** What a processor is doing; each variant carries only what is true in it. */
export type ProcessorState =
  | { readonly kind: 'recovering'; readonly recovery: Recovery }
  /** `redo`: decisions that were stored in part and come first. */
  | { readonly kind: 'live'; readonly redo: JournalCursor }
  | { readonly kind: 'stopped' }
  | { readonly kind: 'failed'; readonly error: MillraceError }
