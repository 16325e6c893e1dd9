import { defineCommand } from 'millrace'
import { z } from 'zod'

const id = z.string().min(1).max(64)
const ofCard = z.object({ cardId: id })
const cardKey = (data: { cardId: string }): string => data.cardId

export const AuthorizePayment = defineCommand('card.authorize', {
  description: 'A merchant asks for a payment.',
  data: ofCard.extend({ paymentId: id, merchantId: id, amount: z.number().positive() }),
  key: cardKey,
})
export const BlockCard = defineCommand('card.block', {
  data: ofCard.extend({ reason: z.string().min(1) }),
  key: cardKey,
})
export const DisputePayment = defineCommand('card.dispute', {
  description: 'The holder says that a payment was not his.',
  data: ofCard.extend({ paymentId: id, reason: z.string().min(1) }),
  key: cardKey,
})
export const CloseDispute = defineCommand('card.close-dispute', {
  data: ofCard.extend({ paymentId: id, result: z.enum(['refunded', 'refused', 'expired']) }),
  key: cardKey,
})

const ofAnalysis = z.object({ analysisId: id })
const analysisKey = (data: { analysisId: string }): string => data.analysisId
const verdict = z.enum(['fraud', 'honest', 'unclear'])

export const RequestAnalysis = defineCommand('analysis.request', {
  description: 'Somebody, or a job, is to find out what a suspicion is worth.',
  data: ofAnalysis.extend({
    cardId: id,
    question: z.string().min(1),
    inputs: z.array(z.string()).describe('Ids of the events that it is about.'),
  }),
  key: analysisKey,
})
export const StartAnalysis = defineCommand('analysis.start', {
  data: ofAnalysis.extend({ by: id.describe('Who works on it: a person, or a model and its version.') }),
  key: analysisKey,
})
export const DecideAnalysis = defineCommand('analysis.decide', {
  data: ofAnalysis.extend({
    by: id,
    verdict,
    confidence: z.number().min(0).max(1),
    reason: z.string().min(1),
  }),
  key: analysisKey,
})
export const OverrideAnalysis = defineCommand('analysis.override', {
  description: 'A person decides otherwise; what was decided before stays on record.',
  data: ofAnalysis.extend({ by: id, verdict, reason: z.string().min(1) }),
  key: analysisKey,
})
