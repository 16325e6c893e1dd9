import { defineHandler } from 'millrace'
import { OPTIONS, tryErrand } from '../../../delivery/errand.js'
import { enter } from '../../../delivery/ledger.js'
import { Queued } from '../events.js'

export default defineHandler({
  ...OPTIONS,
  name: 'queue',
  on: { stream: 'ERRANDS', events: [Queued] },
  order: 'key',
  handle: async ({ id, data }, context) => {
    const { signal, idempotencyKey } = context
    await tryErrand(data, context, signal)
    await enter([{ handler: 'queue', id, key: data.key, n: data.n, idempotencyKey }], signal)
  },
})
