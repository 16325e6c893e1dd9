import { defineHandler } from 'millrace'
import { OPTIONS, tryErrand } from '../../../delivery/errand.js'
import { Ran } from '../../results/events.js'
import { Mailed } from '../events.js'

export default defineHandler({
  ...OPTIONS,
  name: 'mail',
  on: { stream: 'ERRANDS', events: [Mailed] },
  emits: { stream: 'RESULTS', events: [Ran] },
  handle: async ({ id, data }, context) => {
    await tryErrand(data, context, context.signal)
    return Ran({ handler: 'mail', id, key: data.key, n: data.n, pid: process.pid })
  },
})
