/** Conditions that hold and conditions that do not, as bits. */
export interface Literals {
  readonly on: number
  readonly off: number
}

/** What must be true of the conditions of a pattern, as bits, for an edge to be open to an event. */
export interface Guard extends Literals {
  /** None of these may hold as a whole. */
  readonly unless: readonly Literals[]
}

export const ALWAYS: Guard = { on: 0, off: 0, unless: [] }

/** Whether the guard is open when exactly the conditions of `truth` hold. */
export function holds(guard: Guard, truth: number): boolean {
  if (!all(guard, truth)) return false
  for (const literals of guard.unless) if (all(literals, truth)) return false
  return true
}

function all({ on, off }: Literals, truth: number): boolean {
  return (truth & on) === on && (truth & off) === 0
}

export function and(guard: Guard, on: number, off: number): Guard {
  return { on: guard.on | on, off: guard.off | off, unless: guard.unless }
}

/** Closed also when all of `literals` hold. */
export function unless(guard: Guard, { on, off }: Literals): Guard {
  return { ...guard, unless: [...guard.unless, { on, off }] }
}

/** Every condition that the guard asks for. */
export function asked(guard: Guard): number {
  let bits = guard.on | guard.off
  for (const { on, off } of guard.unless) bits |= on | off
  return bits
}
