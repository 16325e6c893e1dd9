import { defineEvent } from 'millrace'
import { z } from 'zod'

export const OrderPaid = defineEvent('order.paid', {
  data: z.object({
    orderId: z.string().min(1),
    email: z.string().min(1),
    /** Where mails are handed in: here, the program that publishes the event. */
    mailer: z.url(),
  }),
  key: ({ orderId }) => orderId,
})
