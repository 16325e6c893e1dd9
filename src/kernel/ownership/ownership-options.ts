import { fault, type MillraceError } from '../../error/millrace-error.js'
import type { Log } from '../../observe/log.js'
import type { Clock } from '../../time/clock.js'
import type { Unit } from './assign.js'
import type { UnitRun } from './holding-port.js'
import { requireName } from './messages.js'

/** A unit as this process declares it. */
export interface OwnedUnit extends Unit {
  /** Of its code. A unit that was refused is tried again when this is another one. */
  readonly revision?: string
}

/** What a member of a group is given, wherever the group talks. */
export interface MembershipOptions {
  readonly clock: Clock
  readonly log?: Log
  /** Members of one group share units; others do not see them. Letters, digits, _ and -. */
  readonly group: string
  /** What this process can run. Members may differ, as while a new version is being rolled out. */
  readonly units: readonly OwnedUnit[]
  /**
   * Starts a unit; what it throws, or `ended` rejects with, decides what follows: an error to retry is retried here, with
   * growing pauses up to 30 s; PROCESSOR_FENCED means that somebody else has it; after any other the unit is left to
   * the other members, and not tried here again until its revision changes.
   */
  readonly run: (unit: string) => Promise<UnitRun>
  /** A unit ended with an error that repeating will not mend, or ended badly while it was being stopped. */
  readonly onFailure: (unit: string, error: MillraceError) => void
  /**
   * The group can be followed no more (access was denied, the connection closed): every unit was stopped. Called once,
   * last, and not by stop().
   */
  readonly onEnd?: (error: MillraceError) => void
  /** How long a member must be silent to be taken for dead, in ms. Default 3,000, the same in all members. */
  readonly leaseMs?: number
  /** How long a unit may take to stop before it is given back all the same, in ms. Default 30,000. */
  readonly drainLimitMs?: number
}

/** How a member’s share has changed since it came. */
export interface OwnershipCounts {
  readonly taken: number
  readonly released: number
  /** Units that another had taken, or claimed, while this member held them. */
  readonly lost: number
}

/** @throws OWNERSHIP_NAME_INVALID */
export function requireUnits(units: readonly OwnedUnit[]): void {
  const ids = new Set<string>()
  for (const { id, processor } of units) {
    requireName('unit', id)
    requireName('processor', processor)
    if (ids.has(id)) throw fault('OWNERSHIP_NAME_INVALID', `unit ${id} is there twice`)
    ids.add(id)
  }
}
