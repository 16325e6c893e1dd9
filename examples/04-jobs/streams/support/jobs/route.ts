import { defineJob, definePrompt, fixed } from 'millrace'
import { z } from 'zod'
import { TicketOpened } from '../events.js'

const DESKS = `You route tickets of customers to the desk that can answer them.
billing: invoices, payments, contracts. technical: what does not work. other: everything else.`

// Which desk is a ticket for? Asked once for each ticket; the same text of the same customer is not asked again for a day.
export default defineJob({
  name: 'route',
  on: { stream: 'SUPPORT', event: TicketOpened },
  prompt: definePrompt({ id: 'route', version: 1, system: [{ text: DESKS, cache: '1h' }], user: '{{text}}' }),
  result: z.object({ desk: z.enum(['billing', 'technical', 'other']) }),
  model: 'claude-haiku-5-5',
  maxTokens: 50,
  tenant: ({ customer }) => customer,
  deadline: '10m',
  retry: { attempts: 3, backoff: fixed('100ms') },
  cache: { ttl: '1d' },
})
