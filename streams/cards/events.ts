import { defineEvent } from 'millrace'
import { z } from 'zod'

const id = z.string().min(1).max(64)
const cardId = id
const amount = z.number().positive()

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
