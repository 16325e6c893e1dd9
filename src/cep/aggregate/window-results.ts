import type { Collector } from '../engine/collector.js'
import type { EvaluationErrors } from '../engine/evaluation-errors.js'
import type { WindowContext, WindowPlan, WindowValues } from './window-plan.js'

/** Makes a match of what a window came to, if the condition on results holds. */
export function resultsTo(
  { accumulators, having }: WindowPlan,
  out: Collector,
  errors: EvaluationErrors,
): WindowContext['put'] {
  return (key, window, part, kind, time) => {
    const { first, last } = part
    const values: WindowValues = { kind, ...window, ...accumulators.results(part) }
    try {
      if (having !== undefined && !having(values, key)) return
    } catch (error) {
      errors.note(`window of ${key} to ${window.end}, having`, error) // no match, counted, never fatal
      return
    }
    const events = first === last ? [first] : [first, last]
    out.match({ kind: 'match', key, stages: { window: events }, events, first, last, time, values })
  }
}
