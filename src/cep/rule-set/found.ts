import type { Advance } from '../engine/advance.js'
import type { Member } from './member.js'

/** What one member made of an event or of time. */
export interface Found {
  readonly member: Member
  readonly advances: readonly Advance[]
  /** It came this far and failed: its state is of no use any more. */
  readonly failure?: Failure | undefined
}

/** What was thrown. */
export interface Failure {
  readonly error: unknown
}

/** Ends what is due of one member. What it ended before it failed is found. */
export function passStoredAlone(member: Member, storedAt: number): Found {
  const advances: Advance[] = []
  try {
    return { member, advances: member.work.passStored(storedAt, advances) }
  } catch (error) {
    return { member, advances, failure: { error } }
  }
}

export function isSomething({ matches, timeouts, late }: Advance): boolean {
  return matches.length + timeouts.length + late.length > 0
}
