import { defineEvent } from 'millrace'
import { z } from 'zod'

const key = (data: { key: string }): string => data.key
/**
 * The n-th errand of a key. Its first attempts fail, `fails` of them, in a way; where it heals they do so before it is
 * redriven only.
 */
const errand = z.object({
  n: z.int(),
  key: z.string(),
  fails: z.int(),
  how: z.enum(['throw', 'hang', 'refuse', 'whole', 'kill']),
  heals: z.boolean(),
})
export type Errand = z.infer<typeof errand>

/** Its effect is an event that its handler emits. */
export const Mailed = defineEvent('errands.mailed', { data: errand, key })
/** The same; some of them end the process that handles them. */
export const Risked = defineEvent('errands.risked', { data: errand, key })
/** Its effect is a row, in one transaction with the inbox. */
export const Booked = defineEvent('errands.booked', { data: errand, key })
/** The same, in batches. */
export const Packed = defineEvent('errands.packed', { data: errand, key })
/** Its effect is a line of a file, with an inbox in a bucket. */
export const Noted = defineEvent('errands.noted', { data: errand, key })
/** Its effect is a row; the errands of a key in their order. */
export const Queued = defineEvent('errands.queued', { data: errand, key })
/** The same, and what can never be done has its key wait. */
export const Filed = defineEvent('errands.filed', { data: errand, key })
