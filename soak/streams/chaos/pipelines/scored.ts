import { definePipeline } from 'millrace'
import { bufferCount, concatMap, map } from 'rxjs'
import { Read, Scored } from '../events.js'

/** Slots with steps: the work takes its time and comes out differently each time; its result is recorded. */
export default definePipeline({
  name: 'scored',
  version: 1,
  from: { stream: 'CHAOS', events: [Read] },
  to: { stream: 'CHAOS', events: [Scored] },
  recovery: { mode: 'slots', idle: '1s' },
  pipeline: (reads$, ctx) =>
    reads$.pipe(
      bufferCount(4),
      concatMap((reads) =>
        ctx
          .step('score', async () => {
            await new Promise((resolve) => setTimeout(resolve, Math.random() * 8))
            return Math.floor(Math.random() * 1_000)
          })
          .pipe(map((score) => Scored({ sensor: ctx.key, from: reads.map(({ data }) => data.n), sum: score }))),
      ),
    ),
})
