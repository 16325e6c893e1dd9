import type { MillraceError } from '../error/millrace-error.js'
import type { Pending } from './publish-window.js'

/** What a publisher does with messages; each variant carries only what is true in it. */
export type PublisherState =
  | { readonly kind: 'sending' }
  | SentTogether
  /** The oldest message was sent alone; the rest follows when it has its receipt. */
  | { readonly kind: 'probing'; readonly token: number; readonly reason: MillraceError }
  /** Nothing is sent. */
  | { readonly kind: 'interrupted'; readonly reason: MillraceError }
  | { readonly kind: 'closed'; readonly reason: MillraceError }

/** One batch is on its way, and nothing else. */
export interface SentTogether {
  readonly kind: 'together'
  /** Its own: what is said late of a batch is not taken for the receipt of a message. */
  readonly token: number
  readonly batch: readonly Pending[]
  /** The message that commits it. */
  readonly last: Pending
  readonly place: string
}
