import type { Collector } from '../engine/collector.js'
import type { Tally } from '../engine/tally.js'
import type { WindowContext, WindowPlan, WindowValues } from './window-plan.js'

/** Makes a match of what a window came to, if the condition on results holds. */
export function resultsTo({ accumulators, having }: WindowPlan, out: Collector, tally: Tally): WindowContext['put'] {
  return (key, window, part, kind, time) => {
    const { first, last } = part
    const { start, end, replaces } = window
    const values: WindowValues = replaces === undefined ? { kind, start, end } : { kind, start, end, replaces }
    accumulators.writeResults(part, values)
    const wanted =
      having === undefined ||
      tally.holds(
        () => having(values, key),
        () => `window of ${key} to ${window.end}, having`,
      )
    if (!wanted) return
    const events = first === last ? [first] : [first, last]
    out.match({ kind: 'match', key, stages: { window: events }, events, first, last, time, values })
  }
}
