import { defineHandler, fullJitter, park, retry } from 'millrace'
import { OPTIONS, tryErrand } from '../../../delivery/errand.js'
import { enter } from '../../../delivery/ledger.js'
import { Filed } from '../events.js'

export default defineHandler({
  ...OPTIONS,
  name: 'file',
  on: { stream: 'ERRANDS', events: [Filed] },
  order: 'key',
  recovery: retry({ attempts: 6, immediate: 1, backoff: fullJitter('50ms', '1s'), last: park() }),
  handle: async ({ id, data }, context) => {
    const { signal, idempotencyKey } = context
    await tryErrand(data, context, signal)
    await enter([{ handler: 'file', id, key: data.key, n: data.n, idempotencyKey }], signal)
  },
})
