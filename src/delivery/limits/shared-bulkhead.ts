// SharedBulkhead
//
// At most so many runs at a time, in all processes together.
//
//   LimitsGate -> SharedBulkhead:   wait(), entered(), left()
//   SharedBulkhead -> Cell:         settle: what it has and wants
import type { Clock } from '../../time/clock.js'
import type { Cell } from './cell.js'
import type { Limit } from './limit.js'
import { readPermits, settle, shares } from './permits.js'
import { Waiters } from './waiters.js'

export interface SharedBulkheadOptions {
  readonly limit: number
  readonly cell: Cell
  readonly clock: Clock
  /** The time that all processes go by, in ms since the Unix epoch. */
  readonly now: () => number
  /** Tells this process from others. */
  readonly owner: string
}

/** How long permits of a silent process are waited for, in ms. */
export const PERMIT_LEASE_MS = 6_000
/** A process says what it wants at most so often, while it has something, in ms. */
const CALM_MS = 20
const PAUSE_MS = 100

export class SharedBulkhead {
  readonly #options: SharedBulkheadOptions
  readonly #waiters: Waiters
  readonly #stops: (() => void)[]
  #has = 0
  #running = 0
  /** By the monotonic clock: permits count until then. */
  #ends = Number.NEGATIVE_INFINITY
  #settling = false
  #again = false
  #stopped = false
  #stopTimer: (() => void) | undefined

  constructor(options: SharedBulkheadOptions) {
    const { clock, cell } = options
    this.#options = options
    this.#waiters = new Waiters(clock, () => this.#room)
    this.#stops = [
      cell.onChange(() => this.#onChange()),
      clock.every(PERMIT_LEASE_MS / 3, () => (this.#has > 0 || this.#waiters.size > 0 ? this.#settle() : undefined)),
    ]
  }

  /** As what each run of one handler passes. */
  user(): Limit {
    return { room: () => this.wait(), entered: () => this.entered(), left: () => this.left() }
  }

  get running(): number {
    return this.#running
  }

  wait(): Promise<void> | undefined {
    if (this.#room > 0) return undefined
    const waiting = this.#waiters.wait()
    this.#settleSoon()
    return waiting
  }

  entered(): void {
    this.#running += 1
  }

  left(): void {
    this.#running -= 1
    if (this.#othersWait()) this.#settleSoon()
    this.#waiters.wake()
  }

  /** Gives back what it has. */
  async stop(): Promise<void> {
    if (this.#stopped) return
    this.#stopped = true
    for (const stop of this.#stops) stop()
    this.#stopTimer?.()
    this.#waiters.wakeAll()
    const { cell, limit, owner, now } = this.#options
    const wish = { id: owner, running: 0, wants: 0, leaseMs: PERMIT_LEASE_MS }
    // those of a process that cannot say so are waited for
    await cell.update((value) => settle(readPermits(value), limit, { ...wish, now: now() })).catch(() => false)
  }

  get #room(): number {
    return this.#options.clock.monotonic() < this.#ends ? this.#has - this.#running : 0
  }

  #onChange(): void {
    if (this.#othersWait() || (this.#waiters.size > 0 && this.#room <= 0)) this.#settleSoon()
  }

  /** Whether it has more than its share while somebody has less, and can give some back. */
  #othersWait(): boolean {
    if (this.#has <= this.#running) return false
    const { cell, limit, owner, now } = this.#options
    const all = Object.entries(readPermits(cell.value).holders)
    const fair = shares(
      limit,
      all.map(([id, { wants }]) => [id, wants] as const),
      now(),
    )
    return all.some(([id, { has }]) => id !== owner && has < (fair.get(id) ?? 0)) && this.#has > (fair.get(owner) ?? 0)
  }

  #settleSoon(): void {
    if (this.#stopTimer !== undefined || this.#stopped) return
    this.#stopTimer = this.#options.clock.after(this.#has === 0 ? 1 : CALM_MS, () => {
      this.#stopTimer = undefined
      this.#settle()
    })
  }

  #settle(): void {
    if (this.#stopped) return
    if (this.#settling) {
      this.#again = true
      return
    }
    this.#settling = true
    this.#write()
      .catch(() => this.#options.clock.sleep(PAUSE_MS).then(() => void (this.#again = true)))
      .finally(() => {
        this.#settling = false
        this.#waiters.wake()
        if (!this.#again) return
        this.#again = false
        this.#settleSoon()
      })
  }

  async #write(): Promise<void> {
    const { cell, limit, owner, now, clock } = this.#options
    let has = this.#has
    let began = clock.monotonic()
    let left = PERMIT_LEASE_MS
    await cell.update((value) => {
      began = clock.monotonic()
      const permits = readPermits(value)
      const at = now()
      const wants = this.#running + this.#waiters.size
      const next = settle(permits, limit, {
        id: owner,
        running: this.#running,
        wants,
        now: at,
        leaseMs: PERMIT_LEASE_MS,
      })
      const own = (next ?? permits).holders[owner]
      has = own?.has ?? 0
      left = (own?.until ?? at) - at
      // nothing is begun on what is being given back
      if (has < this.#has) this.#has = has
      return next
    })
    this.#has = has
    this.#ends = began + left
  }
}
