// An account that has everything that a kill could break: several events in one decision, rejections, timers that come,
// timers that are taken back, and steps.
import { actorStep, cancelTimer, defineActor, defineCommand, reject, setTimer, step } from 'millrace'
import { z } from 'zod'
import { Added, Audited, Reminded } from '../events.js'

const key = ({ account }: { account: string }): string => account
const ofAccount = z.object({ account: z.string(), n: z.int() })

export const Add = defineCommand('ledger.add', { data: ofAccount.extend({ amount: z.int() }), key })
export const Remind = defineCommand('ledger.remind', { data: ofAccount, key })
export const Audit = defineCommand('ledger.audit', { data: ofAccount.extend({ by: z.string() }), key })

/** What the n-th amount of an account does beside being added. */
export const unlucky = (n: number): boolean => n % 17 === 0
const parts = (n: number): number => (n % 13 === 0 ? 3 : 1)
export const sets = (n: number): boolean => n % 10 === 0
/** Takes back the timer of two amounts before, if that has not come. */
const takesBack = (n: number): boolean => n % 20 === 2
const audits = (n: number): boolean => n % 25 === 0

export default defineActor({
  name: 'account',
  version: 1,
  state: z.object({ total: z.int(), last: z.int(), reminded: z.int(), audited: z.int() }),
  initial: () => ({ total: 0, last: 0, reminded: 0, audited: 0 }),
  commands: [Add, Remind, Audit],
  events: [Added, Reminded, Audited],
  steps: {
    audit: actorStep({
      run: async (input: { n: number }, { idempotencyKey }) => {
        await new Promise((resolve) => setTimeout(resolve, 20))
        return { by: idempotencyKey, n: input.n }
      },
      done: ({ by, n }, _, id) => Audit({ account: id, n, by }),
      failed: ({ message }, { n }, id) => Audit({ account: id, n, by: message }),
    }),
  },
  decide: {
    'ledger.add': (_, { data: { account, n, amount } }) => {
      if (unlucky(n)) return reject('unlucky', `${n} can be divided by 17`)
      const added = Array.from({ length: parts(n) }, (_, part) => Added({ account, n, part, amount }))
      return [
        ...added,
        ...(sets(n) ? [setTimer(`n${n}`, '2s', Remind({ account, n }))] : []),
        ...(takesBack(n) ? [cancelTimer(`n${n - 2}`)] : []),
        ...(audits(n) ? [step('audit', { n })] : []),
      ]
    },
    'ledger.remind': (_, { data: { account, n } }) => [Reminded({ account, n })],
    'ledger.audit': (_, { data }) => [Audited(data)],
  },
  evolve: {
    'ledger.added': (state, { data: { n, amount } }) => ({ ...state, total: state.total + amount, last: n }),
    'ledger.reminded': (state) => ({ ...state, reminded: state.reminded + 1 }),
    'ledger.audited': (state) => ({ ...state, audited: state.audited + 1 }),
  },
})
