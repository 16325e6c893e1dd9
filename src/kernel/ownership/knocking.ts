import { messageOf } from '../../error/millrace-error.js'
import type { Log } from '../../observe/log.js'
import type { Clock } from '../../time/clock.js'
import type { GroupLog } from './group-log.js'
import type { GroupView } from './group-view.js'

export interface KnockingOptions {
  readonly member: string
  readonly groupLog: GroupLog
  readonly clock: Clock
  readonly log: Log
  readonly view: () => GroupView
}

/** In a lease of 3 s: often enough to find an end in a third of it. */
const KNOCK_MS = 400
/** Longer than a client takes to find a server again, three times over: a reconnect must not look like an end. */
const MISSES = 3
/** After the own link was away, others may still be looking for theirs. */
const QUIET_MS = 3_000

/**
 * Finds out in about a second that a process was killed, where its silence alone would say so after a lease: the server
 * closes the connection of a process that dies, and knows at once that nobody listens there. Each member knocks at the
 * next in the order of names, so that their number does not matter. What is frozen still listens: that takes a lease.
 */
export class Knocking {
  readonly #options: KnockingOptions
  #quietUntil = Number.NEGATIVE_INFINITY
  #asking = false
  #misses = { member: '', count: 0 }
  #stop: () => void = () => undefined

  constructor(options: KnockingOptions) {
    this.#options = options
  }

  start(): void {
    const { groupLog, clock } = this.#options
    if (groupLog.isGone !== undefined) this.#stop = clock.every(KNOCK_MS, () => void this.#knock())
  }

  /** The own link is back. */
  linked(): void {
    this.#quietUntil = this.#options.clock.monotonic() + QUIET_MS
  }

  stop(): void {
    this.#stop()
  }

  async #knock(): Promise<void> {
    const { groupLog, clock } = this.#options
    const member = this.#next()
    if (this.#asking || member === undefined || clock.monotonic() < this.#quietUntil) return
    this.#asking = true
    const gone = (await groupLog.isGone?.(member, KNOCK_MS)) === true
    this.#asking = false
    const before = this.#misses.member === member ? this.#misses.count : 0
    this.#misses = { member, count: gone ? before + 1 : 0 }
    if (this.#misses.count < MISSES || clock.monotonic() < this.#quietUntil) return
    this.#misses = { member: '', count: 0 }
    await this.#tell(member)
  }

  /** Says in its place that it is gone, for all to read; if it is not, its next heartbeat says so. */
  async #tell(member: string): Promise<void> {
    const { groupLog, log } = this.#options
    log.info({ member }, 'the connection of a member has ended')
    try {
      await groupLog.write('member', member, { state: 'gone' }, { expires: 1 })
    } catch (error) {
      log.debug({ member, error: messageOf(error) }, 'its end was not stored')
    }
  }

  /** The member at whose door this one knocks: the next one that would answer. */
  #next(): string | undefined {
    const { member, view } = this.#options
    const others = view()
      .members.filter(({ id, answers, state }) => id !== member && answers && state === 'running')
      .map(({ id }) => id)
      .sort()
    return others.find((id) => id > member) ?? others[0]
  }
}
