import { definePipeline } from 'millrace'
import { filter, map } from 'rxjs'
import { MachineOverloaded, MetricRecorded } from '../events.js'

/** In percent. The rule sustained-overload has the same limit. */
const LIMIT = 90

/** One event for each reading above the limit; whether it lasts is for the rule sustained-overload to say. */
export default definePipeline({
  name: 'overload',
  version: 1,
  from: { stream: 'MACHINES', events: [MetricRecorded] },
  to: { stream: 'MACHINES', events: [MachineOverloaded] },
  recovery: { mode: 'stateless' },
  pipeline: (metrics$) =>
    metrics$.pipe(
      filter(({ data }) => data.metric === 'cpu' && data.value > LIMIT),
      map(({ data }) => MachineOverloaded({ machine: data.machine, cpu: data.value, limit: LIMIT })),
    ),
})
