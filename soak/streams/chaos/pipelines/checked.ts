import { definePipeline } from 'millrace'
import { map } from 'rxjs'
import { Checked, Read } from '../events.js'

/** Checkpoint: durable operators. */
export default definePipeline({
  name: 'checked',
  version: 1,
  from: { stream: 'CHAOS', events: [Read] },
  to: { stream: 'CHAOS', events: [Checked] },
  recovery: { mode: 'checkpoint', idle: '2s' },
  pipeline: (reads$, ctx) =>
    reads$.pipe(
      ctx.ops.bufferTime(170),
      map((reads) =>
        Checked({
          sensor: ctx.key,
          from: reads.map(({ data }) => data.n),
          sum: reads.reduce((sum, { data }) => sum + data.value, 0),
        }),
      ),
    ),
})
