// An account as small as it can be, so that what is measured is the actor around it.
import { defineActor, defineCommand, reject } from 'millrace'
import { z } from 'zod'
import { Deposited } from '../events.js'

export const Deposit = defineCommand('account.deposit', {
  data: z.object({ account: z.string(), amount: z.int(), reference: z.string(), currency: z.string() }),
  key: ({ account }) => account,
})

export default defineActor({
  name: 'account',
  version: 1,
  state: z.object({ balance: z.int(), entries: z.int() }),
  initial: () => ({ balance: 0, entries: 0 }),
  commands: [Deposit],
  events: [Deposited],
  decide: {
    'account.deposit': (_, { data }) => (data.amount > 0 ? [Deposited(data)] : reject('nothing', 'nothing to add')),
  },
  evolve: {
    'account.deposited': ({ balance, entries }, { data }) => ({ balance: balance + data.amount, entries: entries + 1 }),
  },
})
