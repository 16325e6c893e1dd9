import type { Clock } from '../time/clock.js'
import type { BatchFormer } from './batch-former.js'
import type { Gate } from './gate.js'
import type { WorkItem } from './work-item.js'

export interface FormingOptions {
  readonly former: BatchFormer
  readonly clock: Clock
  readonly gate: Gate
  /** Whether anything may begin. */
  readonly mayStart: () => boolean
  readonly start: (items: readonly WorkItem[]) => void
  /** Whether the server has given it to somebody else by now. */
  readonly lapsed: (item: WorkItem) => boolean
  /** It is not begun, because it is somebody else’s. */
  readonly onLapsed: (item: WorkItem) => void
}

interface Passed {
  readonly item: WorkItem
  /** By the monotonic clock. */
  readonly passed: number
}

/** Events that have passed the gate: they wait for company, and when they have it, for room for their run. */
export class Forming {
  readonly #options: FormingOptions
  readonly #items: Passed[] = []
  #stopTimer: (() => void) | undefined
  #asked = false

  constructor(options: FormingOptions) {
    this.#options = options
  }

  get size(): number {
    return this.#items.length
  }

  /** So many events have come, to be gathered some time. */
  arrived(count: number): void {
    this.#options.former.arrived(count, this.#options.clock.monotonic())
  }

  add(item: WorkItem): void {
    this.#items.push({ item, passed: this.#options.clock.monotonic() })
  }

  /** Begins what is ready, as far as there is room. */
  pump(): void {
    const { former, clock, gate, mayStart, start } = this.#options
    while (this.#items.length > 0 && !this.#asked && mayStart()) {
      const now = clock.monotonic()
      const move = former.decide(this.#items.length, this.#items[0]?.item.since ?? now, now)
      if (move.kind === 'wait') return this.#later(move.until - now)
      const room = gate.room()
      if (room !== undefined) return this.#when(room)
      const mine = this.#items.splice(0, move.count).filter((one) => !this.#lapsed(one))
      if (mine.length > 0) start(mine.map(({ item }) => item))
    }
  }

  get items(): readonly WorkItem[] {
    return this.#items.map(({ item }) => item)
  }

  /** They are not begun after all: what they may have had of the gate goes to others. */
  clear(): void {
    const { clock, gate } = this.#options
    this.#stopTimer?.()
    for (const { passed } of this.#items.splice(0)) gate.withdrawn(clock.monotonic() - passed)
  }

  #lapsed({ item, passed }: Passed): boolean {
    const { clock, gate, lapsed, onLapsed } = this.#options
    if (!lapsed(item)) return false
    gate.withdrawn(clock.monotonic() - passed)
    onLapsed(item)
    return true
  }

  #later(ms: number): void {
    this.#stopTimer?.()
    this.#stopTimer = this.#options.clock.after(Math.max(1, ms), () => this.pump())
  }

  /** One asks for all that are ready. */
  #when(room: Promise<void>): void {
    this.#asked = true
    const again = (): void => {
      this.#asked = false
      this.pump()
    }
    room.then(again, again)
  }
}
