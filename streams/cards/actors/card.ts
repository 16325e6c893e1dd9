import { cancelTimer, defineActor, on, reject, setTimer } from 'millrace'
import { AuthorizePayment, BlockCard, CloseDispute, DisputePayment } from '../commands.js'
import {
  AnalysisDecided,
  AnalysisOverridden,
  CardBlocked,
  CardCharged,
  DisputeClosed,
  PaymentDisputed,
} from '../events.js'

interface Card {
  readonly blocked: boolean
  /** Those that may be disputed, the oldest first. */
  readonly payments: readonly { readonly paymentId: string; readonly amount: number; readonly at: number }[]
  /** Ids of payments in dispute. */
  readonly disputed: readonly string[]
}

const DAY = 24 * 60 * 60 * 1_000
/** In units of the currency of the account. */
const DAILY_LIMIT = 5_000
const REMEMBERED = 20

/** One card: what it may pay, and what became of it. It is blocked when an analysis finds fraud. */
export default defineActor({
  name: 'card',
  version: 1,
  initial: (): Card => ({ blocked: false, payments: [], disputed: [] }),
  commands: [AuthorizePayment, BlockCard, DisputePayment, CloseDispute],
  events: [CardCharged, CardBlocked, PaymentDisputed, DisputeClosed],
  reactions: [
    on(AnalysisDecided, { stream: 'CARDS' }, ({ data }) => blockFor(data)),
    on(AnalysisOverridden, { stream: 'CARDS' }, ({ data }) => blockFor(data)),
  ],
  decide: {
    'card.authorize': ({ blocked, payments }, { data }, { now }) => {
      if (blocked) return reject('card-blocked', 'the card takes no more payments')
      if (payments.some(({ paymentId }) => paymentId === data.paymentId)) return []
      const spent = payments.reduce((sum, { amount, at }) => (now - at < DAY ? sum + amount : sum), 0)
      const left = DAILY_LIMIT - spent
      return data.amount > left ? reject('over-limit', `${left} is left for today`, { left }) : [CardCharged(data)]
    },
    'card.block': ({ blocked }, { data }) => (blocked ? [] : [CardBlocked(data)]),
    'card.dispute': ({ payments, disputed }, { data }) => {
      const { cardId, paymentId } = data
      if (!payments.some((payment) => payment.paymentId === paymentId))
        return reject('unknown-payment', 'the card has no such payment, or it is too old')
      if (disputed.includes(paymentId)) return []
      const expire = CloseDispute({ cardId, paymentId, result: 'expired' })
      return [PaymentDisputed(data), setTimer(`dispute ${paymentId}`, '30d', expire)]
    },
    'card.close-dispute': ({ disputed }, { data }) =>
      disputed.includes(data.paymentId) ? [DisputeClosed(data), cancelTimer(`dispute ${data.paymentId}`)] : [],
  },
  evolve: {
    'card.charged': (card, { data: { paymentId, amount }, time }) => ({
      ...card,
      payments: [...card.payments.slice(1 - REMEMBERED), { paymentId, amount, at: time }],
    }),
    'card.blocked': (card) => ({ ...card, blocked: true }),
    'card.payment-disputed': (card, { data }) => ({ ...card, disputed: [...card.disputed, data.paymentId] }),
    'card.dispute-closed': (card, { data }) => ({
      ...card,
      disputed: card.disputed.filter((paymentId) => paymentId !== data.paymentId),
    }),
  },
})

function blockFor({ cardId, verdict, reason }: { cardId: string; verdict: string; reason: string }) {
  return verdict === 'fraud' ? BlockCard({ cardId, reason }) : undefined
}
