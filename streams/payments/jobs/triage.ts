import { defineJob, definePrompt } from 'millrace'
import { z } from 'zod'
import { TriageRequested } from '../events.js'

/** The same for every card: the provider keeps it, and reads it again for less. */
const POLICY = `You assess suspicions of payment fraud for the fraud desk of a bank. Rules have found a pattern in the payments of a card.
Say what it most likely is, from what you are told and nothing else.

The patterns:
- card-testing: tiny payments find out whether a stolen number works, then one that pays off. Honest people rarely do this.
- velocity: more payments in a minute than a person makes. A round of drinks, a vending machine or a ticket machine look alike: small amounts.
- impossible-travel: the card was used in two places too far apart for the time between. A terminal that says the wrong place looks alike.
- refund-abuse: one merchant gives back several payments soon after they were made. Somebody who tried on clothes looks alike.

Your verdict:
- fraud: block the card now, and call its holder. A wrong block costs a customer a day, a missed fraud costs the amount at stake.
- legitimate: nothing is done.
- unclear: a person looks at it today. Say so whenever small amounts are at stake and both are likely.

Give the reason in one sentence that the desk can read out to the holder, and your confidence from 0 to 1.`

/** What is at stake above this is looked at first, in the currency of the account. */
const URGENT = 300

/** What is a suspicion worth? Asked for each one that the rules find. */
export default defineJob({
  name: 'triage',
  on: { stream: 'PAYMENTS', event: TriageRequested },
  prompt: definePrompt({
    id: 'triage',
    version: 1,
    system: [{ text: POLICY, cache: '1h' }],
    user: `Pattern: {{pattern}} (severity {{severity}})
Card: {{cardId}}
What happened: {{evidence}}
At stake: {{amount}}
Country: {{country}}`,
  }),
  result: z.object({
    verdict: z.enum(['fraud', 'legitimate', 'unclear']),
    reason: z.string(),
    confidence: z.number().min(0).max(1),
  }),
  model: 'claude-haiku-5-5',
  maxTokens: 300,
  lane: ({ amount }) => (amount > URGENT ? 'urgent' : 'standard'),
  tenant: ({ country }) => country,
  deadline: '1h',
})
