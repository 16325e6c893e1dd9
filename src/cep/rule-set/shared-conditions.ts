import type { StoredEvent } from '../../event/event.js'
import type { Matcher, Where } from '../pattern/pattern.js'

interface Shared {
  readonly where: Where
  users: number
}

/** Conditions of all rules of a set, each distinct one evaluated once per event however many rules ask. */
export class SharedConditions {
  readonly #conditions = new Map<string, Shared>()

  /** How many distinct ones there are. */
  get size(): number {
    return this.#conditions.size
  }

  /** @param texts where the texts of what was shared are noted, to be given back with `release` */
  share(matcher: Matcher, texts: string[]): Matcher {
    const { where, text, local } = matcher
    if (where === undefined || text === undefined || local !== true) return matcher
    let shared = this.#conditions.get(text)
    if (shared === undefined) this.#conditions.set(text, (shared = { where: once(where), users: 0 }))
    shared.users++
    texts.push(text)
    return { ...matcher, where: shared.where }
  }

  release(texts: readonly string[]): void {
    for (const text of texts) {
      const shared = this.#conditions.get(text)
      if (shared !== undefined && --shared.users === 0) this.#conditions.delete(text)
    }
  }
}

const NOTHING: readonly unknown[] = []

/** Remembers what it gave, or threw, for the last event. */
function once(where: Where): Where {
  let last: StoredEvent | undefined
  let lastKey = ''
  let value = false
  let error: unknown
  return (event, _, key) => {
    if (event === last && key === lastKey) {
      if (error !== undefined) throw error
      return value
    }
    last = event
    lastKey = key
    error = undefined
    try {
      return (value = where(event, NOTHING, key))
    } catch (thrown) {
      error = thrown
      throw thrown
    }
  }
}
