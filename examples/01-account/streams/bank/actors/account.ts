import { defineActor, reject } from 'millrace'
import { Deposit, Withdraw } from '../commands.js'
import { Deposited, Withdrawn } from '../events.js'

/** An account: its balance is what its entries come to, and never below nothing. */
export default defineActor({
  name: 'account',
  version: 1,
  initial: () => ({ balance: 0 }),
  commands: [Deposit, Withdraw],
  events: [Deposited, Withdrawn],
  decide: {
    'account.deposit': (_, { data }) => [Deposited(data)],
    'account.withdraw': ({ balance }, { data }) =>
      data.amount > balance ? reject('insufficient-funds', `there is ${balance}`) : [Withdrawn(data)],
  },
  evolve: {
    'account.deposited': ({ balance }, { data }) => ({ balance: balance + data.amount }),
    'account.withdrawn': ({ balance }, { data }) => ({ balance: balance - data.amount }),
  },
  invariants: { 'never negative': ({ balance }) => balance >= 0 },
})
