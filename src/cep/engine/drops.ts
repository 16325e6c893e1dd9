import { fault } from '../../error/millrace-error.js'
import type { BoundPolicy } from '../pattern/pattern.js'

/** Counts what bounds made an executor drop, by name. */
export class Drops {
  readonly counts: Record<string, number>

  constructor(counts: Readonly<Record<string, number>>) {
    this.counts = { ...counts }
  }

  /**
   * There is no room for something more.
   * @returns whether the oldest is to make room
   * @throws BOUND_EXCEEDED by the policy `fail`
   */
  makeRoom(policy: BoundPolicy, bound: string, most: number, key: string): boolean {
    if (policy === 'fail') throw fault('BOUND_EXCEEDED', `${bound}: ${most}, at key ${JSON.stringify(key)}`)
    this.note(bound)
    return policy === 'drop-oldest'
  }

  note(what: string): void {
    this.counts[what] = (this.counts[what] ?? 0) + 1
  }
}
