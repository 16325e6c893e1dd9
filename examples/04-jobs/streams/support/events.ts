import { defineEvent } from 'millrace'
import { z } from 'zod'

export const TicketOpened = defineEvent('ticket.opened', {
  data: z.object({ customer: z.string().min(1), text: z.string().min(1) }),
  key: ({ customer }) => customer,
})
