import type { MillraceError } from '../error/millrace-error.js'

/** What a publisher does with messages; each variant carries only what is true in it. */
export type PublisherState =
  | { readonly kind: 'sending' }
  /** The oldest message was sent alone; the rest follows when it has its receipt. */
  | { readonly kind: 'probing'; readonly token: number; readonly reason: MillraceError }
  /** Nothing is sent. */
  | { readonly kind: 'interrupted'; readonly reason: MillraceError }
  | { readonly kind: 'closed'; readonly reason: MillraceError }
