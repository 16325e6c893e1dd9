import type { Member } from './member.js'

/** Members by time, the earliest first. What is noted anew stays in it until its time comes: who takes it out looks. */
export class MemberHeap {
  readonly #times: number[] = []
  readonly #members: Member[] = []

  /** Infinity when it is empty. */
  get time(): number {
    return this.#times[0] ?? Infinity
  }

  get member(): Member | undefined {
    return this.#members[0]
  }

  get size(): number {
    return this.#times.length
  }

  push(time: number, member: Member): void {
    let at = this.#times.length
    this.#times.push(time)
    this.#members.push(member)
    while (at > 0) {
      const parent = (at - 1) >> 1
      if ((this.#times[parent] as number) <= time) break
      this.#set(at, this.#times[parent] as number, this.#members[parent] as Member)
      at = parent
    }
    this.#set(at, time, member)
  }

  shift(): Member | undefined {
    const first = this.#members[0]
    const time = this.#times.pop()
    const member = this.#members.pop()
    const { length } = this.#times
    if (time === undefined || member === undefined || length === 0) return first
    let at = 0
    for (;;) {
      let child = at * 2 + 1
      if (child >= length) break
      if (child + 1 < length && (this.#times[child + 1] as number) < (this.#times[child] as number)) child++
      if (time <= (this.#times[child] as number)) break
      this.#set(at, this.#times[child] as number, this.#members[child] as Member)
      at = child
    }
    this.#set(at, time, member)
    return first
  }

  #set(at: number, time: number, member: Member): void {
    this.#times[at] = time
    this.#members[at] = member
  }
}
