import { defineHandler } from 'millrace'
import { failsNow, OPTIONS, tryErrand } from '../../../delivery/errand.js'
import { enter } from '../../../delivery/ledger.js'
import { Packed } from '../events.js'

export default defineHandler({
  ...OPTIONS,
  concurrency: 40,
  name: 'pack',
  on: { stream: 'ERRANDS', events: [Packed] },
  batch: { most: 20, within: '30ms' },
  handle: async (events, context) => {
    const { signal } = context
    const good = events.filter((event) => !failsNow(event.data, context.of(event)))
    for (const event of events) {
      if (good.includes(event)) continue
      const attempted = context.of(event)
      // some fail alone, and of some nobody knows which one it was
      if (event.data.how === 'whole' || event.data.how === 'hang') await tryErrand(event.data, attempted, signal)
      else await tryErrand(event.data, attempted, signal).catch((error: unknown) => context.fail(event, error))
    }
    const entries = good.map((event) => {
      const { key, n } = event.data
      return { handler: 'pack', id: event.id, key, n, idempotencyKey: context.of(event).idempotencyKey }
    })
    if (entries.length > 0) await enter(entries, signal)
  },
})
