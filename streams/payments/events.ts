import { defineEvent } from 'millrace'
import { z } from 'zod'

const id = z.string().min(1).max(64)
const cardId = id.describe('Stands for the card number, which is never stored.')
const amount = z.number().positive().describe('In the currency of the account, in units, not in cents.')

export const PaymentAuthorized = defineEvent('payment.authorized', {
  description: 'The issuer said yes to a payment.',
  data: z.object({
    paymentId: id,
    cardId,
    customerId: id,
    merchantId: id,
    amount,
    currency: z.string().regex(/^[A-Z]{3}$/),
    country: z.string().regex(/^[A-Z]{2}$/),
    latitude: z.number().min(-90).max(90).describe('Of the terminal, or of the seller when it is online.'),
    longitude: z.number().min(-180).max(180),
    channel: z.enum(['chip', 'contactless', 'online']),
  }),
  key: (data) => data.cardId,
})

export const CardVerified = defineEvent('card.verified', {
  description: 'The holder proved that the card is in the right hands: a code, a fingerprint.',
  data: z.object({ cardId }),
  key: (data) => data.cardId,
})

export const PaymentRefunded = defineEvent('payment.refunded', {
  description: 'A merchant gave back a payment or a part of it.',
  data: z.object({ refundId: id, paymentId: id, cardId, merchantId: id, amount }),
  key: (data) => data.cardId,
})

export const PaymentFlagged = defineEvent('payment.flagged', {
  description: 'A payment that a person should look at, for itself alone.',
  data: z.object({ paymentId: id, cardId, amount, currency: z.string(), reason: z.enum(['large', 'large-abroad']) }),
  key: (data) => data.cardId,
})

export const FraudSuspected = defineEvent('fraud.suspected', {
  description: 'A rule found a pattern of fraud. Which one, and how bad it is, stands beside the fields of the rule.',
  data: z.object({
    cardId,
    amount: amount.optional().describe('What is at stake: the payment or the sum that the pattern ends with.'),
    count: z.number().int().positive().optional().describe('How many payments or refunds.'),
    country: z.string().optional().describe('Where the suspicious payment was made.'),
    merchantId: id.optional(),
    since: z
      .number()
      .int()
      .optional()
      .describe('When the pattern began, in ms since 1970; it ended at the event’s time.'),
  }),
  key: (data) => data.cardId,
})

export const TriageRequested = defineEvent('triage.requested', {
  description: 'Somebody is to say what a suspicion is worth. It has all that there is to go by.',
  data: z.object({
    cardId,
    pattern: z.string().min(1).describe('The rule that found it.'),
    severity: z.string().min(1),
    amount: z.number().min(0).describe('What is at stake; 0 where the rule does not say.'),
    country: z.string().min(1).describe('Where the payment was made that the pattern ends with.'),
    evidence: z.string().min(1).describe('What happened, in a sentence.'),
  }),
  key: (data) => data.cardId,
})
