import type { Connection } from '../broker/connection.js'
import { fault, messageOf } from '../error/millrace-error.js'
import type { Log } from '../observe/log.js'
import type { Clock } from '../time/clock.js'
import type { Fate, Fates } from './fates.js'
import type { Held } from './held.js'
import { soloOf, type Solo } from './solo.js'
import { MOST_MARKS, Suspects } from './suspects.js'
import type { WorkItem } from './work-item.js'

export interface RedeliveredOptions {
  readonly connection: Connection
  readonly work: string
  readonly handler: string
  /** Deliveries after which the server gives up on a message. */
  readonly mostDeliveries: number
  readonly clock: Clock
  readonly log: Log
  readonly fates: Fates
  readonly signal: AbortSignal
}

/** What comes of a look. */
export interface LookPorts {
  /** It is looked into now. */
  readonly begin: () => void
  /** It may be begun. */
  readonly go: () => void
  /** It has its fate already. */
  readonly end: (fate: Fate) => void
}

/** How long to wait before another look, when the broker does not answer, in ms. */
const PAUSE_MS = 500
const UNMARK_TRIES = 20
/**
 * Deliveries after which an event is written anew, far from those after which the server gives up: what it tells of that
 * is lost when it is killed at that moment.
 */
const RENEWED_AT = 50

/**
 * Looks into events that the server delivers again: whether their fate is stored and only the acknowledgement was lost;
 * and whether they may be what ends processes. Those are begun one at a time, with a mark (Suspects).
 */
export class Redelivered {
  readonly #options: RedeliveredOptions
  readonly #suspects: Suspects
  readonly #solo: Solo
  readonly #passed = new WeakSet<WorkItem>()
  readonly #looking = new Set<WorkItem>()
  #waiting: { readonly item: WorkItem; readonly ports: LookPorts }[] = []
  /** The suspect that runs. */
  #alone: WorkItem | undefined

  constructor(options: RedeliveredOptions) {
    this.#options = options
    this.#solo = soloOf(options.connection)
    this.#suspects = new Suspects(options.connection, options.work, options.handler)
  }

  /** Messages that are looked into. */
  get held(): ReadonlySet<Held> {
    return new Set([...this.#looking].map(({ held }) => held))
  }

  /** Whether it was looked into, and may be begun. */
  passed(item: WorkItem): boolean {
    return this.#passed.has(item)
  }

  /** Whether it is begun alone, because it is suspected. */
  isAlone(item: WorkItem): boolean {
    return this.#alone === item
  }

  look(item: WorkItem, ports: LookPorts): void {
    if (!this.#suspects.isSuspect(item)) return void this.#look(item, ports, false)
    if (this.#alone !== undefined) return void this.#waiting.push({ item, ports })
    this.#alone = item
    void this.#look(item, ports, true)
  }

  /**
   * Takes out those that wait for another one to end.
   * @param back what is handed back beside them: a suspect among it was not begun, and its mark is taken away
   */
  takeWaiting(back: readonly WorkItem[]): readonly WorkItem[] {
    const waiting = this.#waiting.splice(0).map(({ item }) => item)
    for (const item of back) this.ended(item, { kind: 'left' })
    return waiting
  }

  /** An event that was looked into has its fate. */
  ended(item: WorkItem, fate: Fate): void {
    if (this.#alone !== item) return
    if (this.#passed.has(item)) void this.#unmark(item, fate)
    this.#alone = undefined
    this.#solo.give(item)
    const next = this.#waiting.shift()
    if (next !== undefined) this.look(next.item, next.ports)
  }

  /** A mark that stayed would count as the end of a process: what cost its acknowledgement costs this as well at first. */
  async #unmark(item: WorkItem, fate: Fate): Promise<void> {
    const { clock, log, signal } = this.#options
    for (let left = UNMARK_TRIES; ; left--)
      try {
        return await this.#suspects.unmark(item)
      } catch (error) {
        log.debug({ detail: messageOf(error), fate: fate.kind }, 'a mark cannot be taken away yet')
        if (signal.aborted || left <= 1) return
        await clock.sleep(2 * PAUSE_MS)
      }
  }

  async #look(item: WorkItem, { begin, go, end }: LookPorts, suspect: boolean): Promise<void> {
    const { connection, clock, fates, log, signal, mostDeliveries } = this.#options
    const by = connection.newInbox()
    this.#looking.add(item)
    begin()
    for (;;) {
      try {
        if (await this.#suspects.hasFate(item)) return this.#end(item, () => end({ kind: 'done' }))
        if (suspect) await this.#solo.take(item, clock, signal)
        const marks = suspect ? await this.#suspects.mark(item, by) : 0
        if (marks < MOST_MARKS && item.held.deliveries >= Math.min(RENEWED_AT, mostDeliveries - 1)) {
          // the server gives up after one more, and what was handed back has failed at nothing
          this.#passed.add(item)
          const fate = await fates.renewed(item)
          return this.#end(item, () => end(fate))
        }
        if (marks < MOST_MARKS) {
          this.#passed.add(item)
          return this.#end(item, go)
        }
        this.#passed.add(item)
        const error = fault('HANDLER_CRASHED', `${marks} processes have ended in the middle of it`)
        const fate = await fates.dead(item, error)
        return this.#end(item, () => end(fate))
      } catch (error) {
        log.debug({ detail: messageOf(error) }, 'an event that was delivered again cannot be looked into yet')
        if (signal.aborted) return this.#end(item, () => end({ kind: 'left' }))
        await clock.sleep(PAUSE_MS)
      }
    }
  }

  #end(item: WorkItem, how: () => void): void {
    this.#looking.delete(item)
    how()
  }
}
