import { fault } from '../../error/millrace-error.js'
import type { CompiledPattern } from './compiled-pattern.js'
import type { Done, Taking } from './run.js'

/**
 * What a match rules out by the skip strategy: every match and partial match of its key that began at one of these
 * places in the order of events. `from > to`: nothing.
 */
export interface RuledOut {
  readonly from: number
  readonly to: number
}

const NOTHING: RuledOut = { from: 0, to: -1 }

/** @throws SKIP_TARGET_MISSING when the strategy says so, and the match has no event to skip to */
export function ruledOutBy({ skip, steps }: CompiledPattern, match: Done): RuledOut {
  if (skip.type === 'none') return NOTHING
  if (skip.type === 'next') return { from: match.first.at, to: match.first.at }
  if (skip.type === 'past-last') return { from: 0, to: match.last.at }
  if (!('stage' in skip)) return NOTHING
  let target: Taking | null = null
  for (let t: Taking | null = match.last; t !== null; t = t.before)
    if (steps[t.step]?.stage.name === skip.stage && (target === null || skip.type === 'to-first')) target = t
  if (skip.throwOnMiss === true && target === null)
    throw fault('SKIP_TARGET_MISSING', `a match has no event of ${skip.stage}`)
  if (skip.throwOnMiss === true && target === match.first)
    throw fault('SKIP_TARGET_MISSING', `a match begins with the event of ${skip.stage} that is skipped to`)
  return target === null ? NOTHING : { from: 0, to: target.at - 1 }
}
