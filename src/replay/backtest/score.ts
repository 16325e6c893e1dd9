import type { Match } from '../../cep/engine/match.js'
import type { Rule } from '../../cep/rule/rule.js'
import type { StoredEvent } from '../../event/event.js'
import { eventIdentity } from './identity.js'
import type { Label } from './label.js'

export interface ScoreOptions {
  readonly label: Label
  /** What is counted: labelled events, or keys that have one. Default event. */
  readonly by?: 'event' | 'key'
  /** How long after a match a label event may come and still confirm it, in ms. Default without limit. */
  readonly within?: number
}

/** How good a rule is by what is known. */
export interface ScoreReport {
  readonly label: string
  readonly kind: Label['kind']
  readonly by: 'event' | 'key'
  readonly matches: number
  readonly truePositives: number
  readonly falsePositives: number
  /** Labelled events, or keys, of the range. */
  readonly labelled: number
  readonly found: number
  readonly missed: number
  /** truePositives / matches; null without a match. */
  readonly precision: number | null
  /** found / labelled; null when nothing is labelled. */
  readonly recall: number | null
  readonly f1: number | null
  /** Events that do not say, because they have no such field. */
  readonly unlabelled: number
  readonly examples: {
    readonly missed: readonly {
      readonly key: string
      readonly sequence: number
      readonly id: string
      readonly time: number
    }[]
  }
}

interface Marked {
  readonly key: string
  readonly event: StoredEvent
  found: boolean
}

interface Judged {
  readonly time: number
  readonly from: number
  isTrue: boolean
}

const EXAMPLES = 20

/**
 * Compares matches with labels.
 *
 * With a condition, a match is right when one of its events is labelled (by key: when its key has a labelled event), and
 * a labelled event is found when a match has it. An aggregation keeps only the first and last event of its window: it has
 * all that lie between. With a label event, a match is right when one for its key comes at or after its first event, and
 * a label event is found when such a match went before it.
 */
export class Score {
  readonly #label: Label
  readonly #by: 'event' | 'key'
  readonly #within: number
  readonly #rule: Rule
  readonly #marked = new Map<string, Marked>()
  /** Of each key, what of it is labelled. */
  readonly #byKey = new Map<string, Marked[]>()
  readonly #matches = new Map<string, Judged[]>()
  #unlabelled = 0

  constructor(rule: Rule, { label, by = 'event', within = Number.POSITIVE_INFINITY }: ScoreOptions) {
    this.#rule = rule
    this.#label = label
    this.#by = by
    this.#within = within
  }

  /** An event of the range. */
  see(event: StoredEvent): void {
    const label = this.#label
    if (label.kind === 'event') {
      if (event.type === label.type) this.#mark(event)
      return
    }
    const holds = label.holds(event)
    if (holds === undefined) this.#unlabelled += 1
    else if (holds) this.#mark(event)
  }

  /** A match of the range. */
  match({ key, time, first, events }: Match): void {
    const judged: Judged = { time, from: first.time, isTrue: false }
    const list = this.#matches.get(key)
    if (list === undefined) this.#matches.set(key, [judged])
    else list.push(judged)
    if (this.#label.kind === 'event' || this.#by === 'key') return
    // a correlation has a window too, and all of its events
    if (this.#rule.kind === 'aggregate') {
      const last = events.at(-1)?.time ?? time
      for (const marked of this.#byKey.get(key) ?? [])
        if (marked.event.time >= first.time && marked.event.time <= last) judged.isTrue = marked.found = true
    } else for (const event of events) if (this.#isMarked(event)) judged.isTrue = true
  }

  report(): ScoreReport {
    if (this.#label.kind === 'event') this.#confirm()
    else if (this.#by === 'key') this.#judgeKeys()
    const judged = [...this.#matches.values()].flat()
    const right = judged.filter(({ isTrue }) => isTrue).length
    const marked = this.#by === 'key' ? firsts(this.#byKey) : [...this.#byKey.values()].flat()
    const found = marked.filter((one) => one.found).length
    const precision = judged.length === 0 ? null : right / judged.length
    const recall = marked.length === 0 ? null : found / marked.length
    const sum = (precision ?? 0) + (recall ?? 0)
    return {
      label: this.#label.text,
      kind: this.#label.kind,
      by: this.#by,
      matches: judged.length,
      truePositives: right,
      falsePositives: judged.length - right,
      labelled: marked.length,
      found,
      missed: marked.length - found,
      precision,
      recall,
      f1: precision === null || recall === null ? null : sum === 0 ? 0 : (2 * precision * recall) / sum,
      unlabelled: this.#unlabelled,
      examples: {
        missed: marked
          .filter((one) => !one.found)
          .slice(0, EXAMPLES)
          .map(exampleOf),
      },
    }
  }

  #mark(event: StoredEvent): void {
    const key = this.#rule.keyOf(event) ?? event.key ?? ''
    const marked: Marked = { key, event, found: false }
    this.#marked.set(eventIdentity(event), marked)
    const list = this.#byKey.get(key)
    if (list === undefined) this.#byKey.set(key, [marked])
    else list.push(marked)
  }

  /** Of an event in a match. One from before the range is not counted as found, but makes the match right. */
  #isMarked(event: StoredEvent): boolean {
    const marked = this.#marked.get(eventIdentity(event))
    if (marked !== undefined) marked.found = true
    return marked !== undefined || (this.#label.kind === 'condition' && this.#label.holds(event) === true)
  }

  #confirm(): void {
    for (const [key, matches] of this.#matches)
      for (const marked of this.#byKey.get(key) ?? [])
        for (const match of matches)
          if (marked.event.time >= match.from && marked.event.time <= match.time + this.#within)
            match.isTrue = marked.found = true
    if (this.#by === 'key') this.#spreadOverKeys()
  }

  #judgeKeys(): void {
    for (const [key, matches] of this.#matches) {
      const marked = this.#byKey.get(key)
      if (marked === undefined) continue
      for (const match of matches) match.isTrue = true
      for (const one of marked) one.found = true
    }
  }

  #spreadOverKeys(): void {
    for (const marked of this.#byKey.values())
      if (marked.some(({ found }) => found)) for (const one of marked) one.found = true
  }
}

function firsts(byKey: ReadonlyMap<string, readonly Marked[]>): Marked[] {
  return [...byKey.values()].map(([first]) => first as Marked)
}

function exampleOf({ key, event: { sequence, id, time } }: Marked): ScoreReport['examples']['missed'][number] {
  return { key, sequence, id, time }
}
