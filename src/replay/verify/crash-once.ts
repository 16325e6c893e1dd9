import { SimulatedUnit } from '../../kernel/simulation/simulated-unit.js'
import type { Finding } from './finding.js'
import { follow, stoppedAt } from './follow.js'
import { asFault, type History } from './history.js'
import type { UnitInput } from './record-history.js'

/**
 * Runs a history with one crash and compares.
 * @param after index of the last item that is committed before the crash; -1 crashes before the first
 */
export function crashOnce(
  { processor, registry, partition, messages }: Omit<UnitInput, 'journal'>,
  history: History,
  after: number,
): Finding | undefined {
  const unit = new SimulatedUnit({ processor, registry, partition, log: messages, packed: false })
  const repeated = follow(unit, history, 0, after + 1)
  if (repeated !== undefined) {
    unit.stop()
    return { trial: { kind: 'repeat' }, difference: repeated }
  }
  let again: SimulatedUnit | undefined
  try {
    again = unit.crash()
    const difference = follow(again, history, after + 1, history.length)
    return difference === undefined ? undefined : { trial: { kind: 'crash', after }, difference }
  } catch (error) {
    return { trial: { kind: 'crash', after }, difference: stoppedAt(history, Math.max(0, after), asFault(error)) }
  } finally {
    again?.stop()
  }
}
