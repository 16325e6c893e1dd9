import { defineEvent } from 'millrace'
import { z } from 'zod'

export const Deposited = defineEvent('account.deposited', {
  data: z.object({ account: z.string(), amount: z.int(), reference: z.string(), currency: z.string() }),
  key: ({ account }) => account,
})
