// Members with units that do nothing but say when they run; who reads it knows which unit ran where and when.
import type { Connection } from '../../../src/broker/connection.ts'
import type { MillraceError } from '../../../src/error/millrace-error.ts'
import { Ownership, type OwnershipOptions } from '../../../src/kernel/ownership/ownership.ts'
import { systemClock } from '../../../src/time/system-clock.ts'
import { eventually } from '../../support/broker.ts'
import { atEnd } from '../../support/cleanup.ts'

/** From when to when a unit ran where; times by the clock of the machine, so that processes can be compared. */
export interface Interval {
  readonly unit: string
  readonly member: string
  readonly from: number
  to: number
}

let groups = 0

/** A group that no other test uses. */
export function freshGroup(): string {
  return `g${process.pid}-${(groups += 1)}`
}

export function unitsOf(count: number, processor = 'pipeline-velocity'): { id: string; processor: string }[] {
  return Array.from({ length: count }, (_, at) => ({ id: `${processor}-${at}`, processor }))
}

export class Ledger {
  readonly intervals: Interval[] = []

  begin(unit: string, member: string, at = Date.now()): void {
    this.intervals.push({ unit, member, from: at, to: Infinity })
  }

  end(unit: string, member: string, at = Date.now()): void {
    const open = this.intervals.findLast((one) => one.unit === unit && one.member === member && one.to === Infinity)
    if (open !== undefined) open.to = at
  }

  /** The process was killed: nothing of it runs from `at` on. */
  endAll(member: string, at = Date.now()): void {
    for (const one of this.intervals) if (one.member === member && one.to === Infinity) one.to = at
  }

  /** Who runs each unit now. */
  running(): Map<string, string[]> {
    const now = new Map<string, string[]>()
    for (const { unit, member, to } of this.intervals)
      if (to === Infinity) now.set(unit, [...(now.get(unit) ?? []), member])
    return now
  }

  /** How many units each of these runs, least first. */
  shares(members: readonly string[]): number[] {
    const running = [...this.running().values()].flat()
    return members.map((name) => running.filter((member) => member === name).length).sort((one, other) => one - other)
  }

  /** Units that ran in two places at once. */
  overlaps(): string[] {
    return this.intervals.flatMap((one, at) =>
      this.intervals
        .slice(at + 1)
        .filter((other) => other.unit === one.unit && other.from < one.to && one.from < other.to)
        .map((other) => `${one.unit}: ${one.member} ${one.from}–${one.to}, ${other.member} ${other.from}–${other.to}`),
    )
  }

  /** Waits until `members` run `count` units, evenly; how long that took, in ms. */
  async even(members: readonly string[], count: number, limitMs = 30_000): Promise<number> {
    const since = performance.now()
    const least = Math.floor(count / members.length)
    await eventually(
      `${count} units run by ${members.length} members`,
      () => {
        const shares = this.shares(members)
        const sum = shares.reduce((total, share) => total + share, 0)
        return (sum === count && shares.every((share) => share === least || share === least + 1)) || undefined
      },
      limitMs,
    )
    return performance.now() - since
  }
}

export interface TestMember {
  readonly ownership: Ownership
  readonly name: string
  readonly failures: [string, MillraceError][]
}

export interface MemberOptions extends Partial<Omit<OwnershipOptions, 'units'>> {
  readonly connection: Connection
  readonly group: string
  readonly units?: OwnershipOptions['units']
  /** How long a unit takes to start and to stop, in ms. */
  readonly unitMs?: number
}

let members = 0

export async function memberOf(ledger: Ledger, options: MemberOptions): Promise<TestMember> {
  const name = `m${(members += 1)}`
  const failures: [string, MillraceError][] = []
  const { unitMs = 2 } = options
  const ownership = await Ownership.start({
    clock: systemClock,
    member: name,
    replicas: 1,
    units: unitsOf(16),
    run: async (unit) => {
      await systemClock.sleep(unitMs)
      ledger.begin(unit, name)
      return {
        ended: new Promise(() => undefined),
        stop: async () => {
          await systemClock.sleep(unitMs)
          ledger.end(unit, name)
        },
      }
    },
    onFailure: (unit, error) => failures.push([unit, error]),
    ...options,
  })
  atEnd(() => ownership.stop())
  return { ownership, name, failures }
}
