/** Where a run is crashed. */
export interface CrashPlan {
  /** After every such item: 1 is everywhere. */
  readonly every: number
  /** How many places that are, of how many there would be. */
  readonly points: number
  readonly of: number
  /** Turns that it takes, about. */
  readonly work: number
}

export interface PlanLimits {
  /** Most places. */
  readonly points: number
  /** Most turns, about. */
  readonly work: number
}

/**
 * Decides after which items a run is crashed: after each, or evenly after one of so many where that would be too much.
 * A function of the run alone, so that the same range is verified at the same places.
 * @param costs by item: what a recovery after it has to do, in turns
 * @param ahead items that are given after each recovery
 */
export function planCrashes(costs: readonly number[], ahead: number, limits: PlanLimits): CrashPlan {
  const of = costs.length
  if (of === 0) return { every: 1, points: 0, of, work: 0 }
  const whole = costs.reduce((sum, cost) => sum + cost + ahead, 0)
  const every = Math.max(1, Math.ceil(of / Math.max(1, limits.points)), Math.ceil(whole / limits.work))
  const points = Math.max(1, Math.floor(of / every))
  return { every: Math.min(every, of), points, of, work: whole / every }
}

/** Whether it crashes after this item. */
export function crashesAfter({ every }: CrashPlan, item: number): boolean {
  return item % every === every - 1
}
