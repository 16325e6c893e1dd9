/** What timers belong to. */
export interface TimerOwner {
  readonly key: string
}

/** `due` of a timer that was cancelled. */
const CANCELLED = Number.NaN

/** One named timer of an owner. */
export class NamedTimer<Owner extends TimerOwner> {
  readonly owner: Owner
  readonly name: string
  /** Time in ms; NaN once it is cancelled or has fired. */
  due: number
  /** The owner’s next one. */
  next: NamedTimer<Owner> | undefined

  constructor(owner: Owner, name: string, due: number, next: NamedTimer<Owner> | undefined) {
    this.owner = owner
    this.name = name
    this.due = due
    this.next = next
  }
}

/** Cancelled timers are left where they are until there are so many, and more than half. */
const COMPACT = 1_024

/**
 * Timers by (due, key of the owner, name): an order that does not depend on when they were set, so that nothing but key,
 * name and time has to be stored. A timer that is cancelled or put off costs nothing until its old time has come.
 */
export class TimerHeap<Owner extends TimerOwner> {
  // two arrays instead of pairs: 16 bytes a timer
  #at: number[] = []
  #timers: NamedTimer<Owner>[] = []
  #cancelled = 0

  /** Time of the earliest timer; Infinity when there is none. */
  get due(): number {
    this.#settle()
    return this.#at[0] ?? Infinity
  }

  /** Timers that wait. */
  get size(): number {
    return this.#timers.length - this.#cancelled
  }

  /** What it takes: timers that wait, and cancelled ones that it has not come across. */
  get places(): number {
    return this.#timers.length
  }

  /** Puts a timer in its place. One that is here already must have been put off, not moved forward. */
  add(timer: NamedTimer<Owner>): void {
    this.#at.push(timer.due)
    this.#timers.push(timer)
    this.#rise(this.#timers.length - 1)
  }

  /** Many at once, in no order. */
  addAll(timers: Iterable<NamedTimer<Owner>>): void {
    for (const timer of timers) {
      this.#at.push(timer.due)
      this.#timers.push(timer)
    }
    this.#build()
  }

  cancel(timer: NamedTimer<Owner>): void {
    timer.due = CANCELLED
    this.#cancelled += 1
    if (this.#cancelled > COMPACT && this.#cancelled * 2 > this.#timers.length) this.#compact()
  }

  /** Takes out the earliest timer, if it is due at `time`. Its `due` stays, for who fires it. */
  take(time: number): NamedTimer<Owner> | undefined {
    this.#settle()
    const at = this.#at[0]
    if (at === undefined || at > time) return undefined
    const first = this.#timers[0] as NamedTimer<Owner>
    this.#removeFirst()
    return first
  }

  /** Brings to the top a timer that is really due when its place says. */
  #settle(): void {
    for (;;) {
      const first = this.#timers[0]
      if (first === undefined || first.due === this.#at[0]) return
      if (Number.isNaN(first.due)) {
        this.#cancelled -= 1
        this.#removeFirst()
      } else {
        this.#at[0] = first.due
        this.#sink(0)
      }
    }
  }

  #removeFirst(): void {
    const at = this.#at.pop() as number
    const last = this.#timers.pop() as NamedTimer<Owner>
    const size = this.#timers.length
    if (size === 0) return
    // the last one belongs near the bottom: going down to there first takes half of the comparisons, and many timers of
    // one time are compared by their keys
    let place = 0
    for (let below = 1; below < size; below = 2 * place + 1) {
      if (below + 1 < size && this.#less(below + 1, below)) below += 1
      this.#at[place] = this.#at[below] as number
      this.#timers[place] = this.#timers[below] as NamedTimer<Owner>
      place = below
    }
    this.#at[place] = at
    this.#timers[place] = last
    this.#rise(place)
  }

  #compact(): void {
    this.#timers = this.#timers.filter(({ due }) => !Number.isNaN(due))
    this.#at = this.#timers.map(({ due }) => due)
    this.#cancelled = 0
    this.#build()
  }

  #build(): void {
    for (let at = (this.#timers.length >> 1) - 1; at >= 0; at--) this.#sink(at)
  }

  #rise(from: number): void {
    const at = this.#at[from] as number
    const timer = this.#timers[from] as NamedTimer<Owner>
    let place = from
    while (place > 0) {
      const above = (place - 1) >> 1
      if (!isBefore(at, timer, this.#at[above] as number, this.#timers[above] as NamedTimer<Owner>)) break
      this.#at[place] = this.#at[above] as number
      this.#timers[place] = this.#timers[above] as NamedTimer<Owner>
      place = above
    }
    this.#at[place] = at
    this.#timers[place] = timer
  }

  #sink(from: number): void {
    const size = this.#timers.length
    const at = this.#at[from] as number
    const timer = this.#timers[from] as NamedTimer<Owner>
    let place = from
    for (;;) {
      let below = 2 * place + 1
      if (below >= size) break
      const other = below + 1
      if (other < size && this.#less(other, below)) below = other
      if (!isBefore(this.#at[below] as number, this.#timers[below] as NamedTimer<Owner>, at, timer)) break
      this.#at[place] = this.#at[below] as number
      this.#timers[place] = this.#timers[below] as NamedTimer<Owner>
      place = below
    }
    this.#at[place] = at
    this.#timers[place] = timer
  }

  #less(one: number, other: number): boolean {
    const timers = this.#timers as NamedTimer<Owner>[]
    return isBefore(
      this.#at[one] as number,
      timers[one] as NamedTimer<Owner>,
      this.#at[other] as number,
      timers[other] as NamedTimer<Owner>,
    )
  }
}

function isBefore<Owner extends TimerOwner>(
  at: number,
  timer: NamedTimer<Owner>,
  otherAt: number,
  other: NamedTimer<Owner>,
): boolean {
  if (at !== otherAt) return at < otherAt
  if (timer.owner !== other.owner && timer.owner.key !== other.owner.key) return timer.owner.key < other.owner.key
  return timer.name < other.name
}
