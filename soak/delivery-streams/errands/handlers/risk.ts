import { defineHandler } from 'millrace'
import { OPTIONS, tryErrand } from '../../../delivery/errand.js'
import { Ran } from '../../results/events.js'
import { Risked } from '../events.js'

export default defineHandler({
  ...OPTIONS,
  name: 'risk',
  on: { stream: 'ERRANDS', events: [Risked] },
  emits: { stream: 'RESULTS', events: [Ran] },
  handle: async ({ id, data }, context) => {
    await tryErrand(data, context, context.signal)
    return Ran({ handler: 'risk', id, key: data.key, n: data.n, pid: process.pid })
  },
})
