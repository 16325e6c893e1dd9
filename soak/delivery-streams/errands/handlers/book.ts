import { defineHandler } from 'millrace'
import { OPTIONS, tryErrand } from '../../../delivery/errand.js'
import { enter } from '../../../delivery/ledger.js'
import { Booked } from '../events.js'

export default defineHandler({
  ...OPTIONS,
  name: 'book',
  on: { stream: 'ERRANDS', events: [Booked] },
  handle: async ({ id, data }, context) => {
    const { signal, idempotencyKey } = context
    await tryErrand(data, context, signal)
    await enter([{ handler: 'book', id, key: data.key, n: data.n, idempotencyKey }], signal)
  },
})
