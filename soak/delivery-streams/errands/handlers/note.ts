import { defineHandler, inbox } from 'millrace'
import { OPTIONS, tryErrand } from '../../../delivery/errand.js'
import { note } from '../../../delivery/ledger.js'
import { Noted } from '../events.js'

export default defineHandler({
  ...OPTIONS,
  name: 'note',
  on: { stream: 'ERRANDS', events: [Noted] },
  idempotent: inbox({ ttl: '1h' }),
  handle: async ({ id, data }, context) => {
    await tryErrand(data, context, context.signal)
    note([{ handler: 'note', id, key: data.key, n: data.n }])
  },
})
