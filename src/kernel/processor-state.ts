import type { MillraceError } from '../error/millrace-error.js'
import type { Recovery } from './recovery.js'
import type { Redo } from './redo.js'

/** What a processor is doing; each variant carries only what is true in it. */
export type ProcessorState =
  | { readonly kind: 'recovering'; readonly recovery: Recovery }
  /** `redo`: what was stored in part and comes first. */
  | { readonly kind: 'live'; readonly redo: Redo }
  | { readonly kind: 'stopped' }
  | { readonly kind: 'failed'; readonly error: MillraceError }
