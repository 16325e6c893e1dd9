import { definePipeline } from 'millrace'
import { bufferTime, debounceTime, filter, map, merge, scan, share } from 'rxjs'
import { Buffered, Read } from '../events.js'

/** Slots: standard operators with timers and with state, side by side. */
export default definePipeline({
  name: 'buffered',
  version: 1,
  from: { stream: 'CHAOS', events: [Read] },
  to: { stream: 'CHAOS', events: [Buffered] },
  recovery: { mode: 'slots', idle: '1s' },
  pipeline: (reads$) => {
    const shared$ = reads$.pipe(share())
    return merge(
      shared$.pipe(
        bufferTime(150),
        filter((reads) => reads.length > 0),
        map((reads) => ({
          sensor: reads[0]?.data.sensor ?? '',
          from: reads.map(({ data }) => data.n),
          sum: reads.reduce((sum, { data }) => sum + data.value, 0),
        })),
      ),
      shared$.pipe(
        scan((sum, { data }) => ({ sensor: data.sensor, from: [data.n], sum: sum.sum + data.value }), {
          sensor: '',
          from: [] as number[],
          sum: 0,
        }),
        debounceTime(90),
      ),
    ).pipe(map((made) => Buffered(made)))
  },
})
