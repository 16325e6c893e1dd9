import { defineKeyed } from 'millrace'
import { z } from 'zod'
import { Read, Windowed } from '../events.js'

/** Keyed state: a tumbling window by a timer. */
export default defineKeyed({
  name: 'windowed',
  version: 1,
  from: { stream: 'CHAOS', events: [Read] },
  to: { stream: 'CHAOS', events: [Windowed] },
  state: z.object({ from: z.array(z.number()), sum: z.number() }),
  onEvent(c, { data }) {
    if (c.state === undefined) c.timer('end', (Math.floor(c.now / 200) + 1) * 200)
    const { from, sum } = c.state ?? { from: [], sum: 0 }
    c.state = { from: [...from, data.n], sum: sum + data.value }
  },
  onTimer(c) {
    if (c.state !== undefined) c.emit(Windowed({ sensor: c.key, ...c.state }))
    c.clear()
  },
})
