import type { Difference } from './difference.js'

/** What was done when it was found: run for the first time, run once more, crashed once, crashed again and again. */
export type Trial =
  | { readonly kind: 'first' }
  | { readonly kind: 'repeat' }
  | { readonly kind: 'crash'; readonly after: number }
  | { readonly kind: 'chain' }

/** A unit that does not give the same. */
export interface Finding {
  readonly trial: Trial
  readonly difference: Difference
}
