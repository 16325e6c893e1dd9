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

const ofCard = z.object({ cardId })
const cardKey = (data: { cardId: string }): string => data.cardId

export const CardCharged = defineEvent('card.charged', {
  description: 'The card took a payment that a merchant asked for.',
  data: ofCard.extend({ paymentId: id, merchantId: id, amount }),
  key: cardKey,
})
export const CardBlocked = defineEvent('card.blocked', {
  description: 'The card takes no more payments.',
  data: ofCard.extend({ reason: z.string() }),
  key: cardKey,
})
export const PaymentDisputed = defineEvent('card.payment-disputed', {
  description: 'The holder says that a payment was not his.',
  data: ofCard.extend({ paymentId: id, reason: z.string() }),
  key: cardKey,
})
export const DisputeClosed = defineEvent('card.dispute-closed', {
  description: 'A dispute has come to its end.',
  data: ofCard.extend({ paymentId: id, result: z.enum(['refunded', 'refused', 'expired']) }),
  key: cardKey,
})

const ofAnalysis = z.object({ analysisId: id, cardId })
const analysisKey = (data: { analysisId: string }): string => data.analysisId
const verdict = z.enum(['fraud', 'honest', 'unclear'])

export const AnalysisRequested = defineEvent('analysis.requested', {
  description: 'Somebody, or a job, is to find out what a suspicion is worth.',
  data: ofAnalysis.extend({ question: z.string(), inputs: z.array(z.string()) }),
  key: analysisKey,
})
export const AnalysisStarted = defineEvent('analysis.started', {
  description: 'Somebody works on it.',
  data: ofAnalysis.extend({ by: id }),
  key: analysisKey,
})
export const AnalysisDecided = defineEvent('analysis.decided', {
  description: 'What came of it, and how sure that is.',
  data: ofAnalysis.extend({ by: id, verdict, confidence: z.number().min(0).max(1), reason: z.string() }),
  key: analysisKey,
})
export const AnalysisOverridden = defineEvent('analysis.overridden', {
  description: 'A person decided otherwise.',
  data: ofAnalysis.extend({ by: id, verdict, former: verdict, reason: z.string() }),
  key: analysisKey,
})
