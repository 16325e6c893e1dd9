import type { Member } from './member.js'

/** Entries are looked through when there are twice as many as after the last time, and at least this many. */
const FIRST_SWEEP = 1_024

/** Which members have something under way for a key. Some that have it no more are still listed: until asked, or swept. */
export class KeyIndex {
  readonly #members = new Map<string, Member[]>()
  #sweepAt = FIRST_SWEEP

  of(key: string): readonly Member[] {
    return this.#members.get(key) ?? NOBODY
  }

  /** Notes whether a member has something under way for a key. */
  note(key: string, member: Member): void {
    const members = this.#members.get(key)
    const at = members?.indexOf(member) ?? -1
    if (member.work.engine.has(key)) {
      if (at !== -1) return
      if (members === undefined) this.#members.set(key, [member])
      else members.push(member)
      if (this.#members.size > this.#sweepAt) this.#sweep()
    } else if (members !== undefined && at !== -1) {
      if (members.length === 1) this.#members.delete(key)
      else members.splice(at, 1)
    }
  }

  remove(member: Member): void {
    for (const [key, members] of this.#members) {
      const at = members.indexOf(member)
      if (at === -1) continue
      if (members.length === 1) this.#members.delete(key)
      else members.splice(at, 1)
    }
  }

  get size(): number {
    return this.#members.size
  }

  /** Keys that never come back leave here: their windows closed without an event of theirs. */
  #sweep(): void {
    for (const [key, members] of this.#members) {
      let kept = 0
      for (const member of members) if (member.work.engine.has(key)) members[kept++] = member
      members.length = kept
      if (kept === 0) this.#members.delete(key)
    }
    this.#sweepAt = Math.max(FIRST_SWEEP, this.#members.size * 2)
  }
}

const NOBODY: readonly Member[] = []
