import { definePipeline } from 'millrace'
import { filter, map } from 'rxjs'
import { PaymentAuthorized, PaymentFlagged } from '../events.js'

const LARGE = 1_500
const LARGE_OUTSIDE_EUROPE = 500
const EUROPE = new Set(['AT', 'BE', 'DE', 'ES', 'FI', 'FR', 'GB', 'IE', 'IT', 'NL', 'PT'])

/** Flags payments that a person should look at, whatever the rules make of their neighbours. */
export default definePipeline({
  name: 'large-payments',
  version: 1,
  from: { stream: 'PAYMENTS', events: [PaymentAuthorized] },
  to: { stream: 'PAYMENTS', events: [PaymentFlagged] },
  recovery: { mode: 'stateless' },
  pipeline: (payments$) =>
    payments$.pipe(
      map(({ data }) => ({ ...data, abroad: !EUROPE.has(data.country) })),
      filter(({ amount, abroad }) => amount >= (abroad ? LARGE_OUTSIDE_EUROPE : LARGE)),
      map(({ paymentId, cardId, amount, currency, abroad }) =>
        PaymentFlagged({ paymentId, cardId, amount, currency, reason: abroad ? 'large-abroad' : 'large' }),
      ),
    ),
})
