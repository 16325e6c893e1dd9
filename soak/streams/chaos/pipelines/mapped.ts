import { definePipeline } from 'millrace'
import { filter, map } from 'rxjs'
import { Mapped, Read } from '../events.js'

/** Stateless: what is odd goes on, many to a message. */
export default definePipeline({
  name: 'mapped',
  version: 1,
  from: { stream: 'CHAOS', events: [Read] },
  to: { stream: 'CHAOS', events: [Mapped], packed: true },
  recovery: { mode: 'stateless' },
  pipeline: (reads$) =>
    reads$.pipe(
      filter(({ data }) => data.value % 2 === 1),
      map(({ data }) => Mapped({ sensor: data.sensor, from: [data.n], sum: data.value })),
    ),
})
