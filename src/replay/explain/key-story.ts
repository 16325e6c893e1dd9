import type { Judgement } from '../../cep/detect/judgement.js'
import type { Advance } from '../../cep/engine/advance.js'
import type { Match } from '../../cep/engine/match.js'
import type { EndReason, Partial } from '../../cep/engine/partial.js'
import { RuleAtWork } from '../../cep/rule/rule-at-work.js'
import type { Rule } from '../../cep/rule/rule.js'
import type { StoredEvent } from '../../event/event.js'
import { eventIdentity } from '../backtest/identity.js'

/** Something that had begun and came to nothing. */
export interface Ended {
  readonly partial: Partial
  readonly reason: EndReason
  /** In event time, ms. */
  readonly time: number
}

/** An event of the key. */
export interface Told {
  readonly event: StoredEvent
  /** It came too late to be looked at. */
  readonly late: boolean
  /** What was under way when it came. */
  readonly open: readonly Partial[]
}

/** What was under way when an event came: so many are looked at, the oldest. */
const MOST_OPEN = 20
/** Most of each that are kept, the newest. */
const MOST = 10_000
const MOST_OTHERS = 5_000

/**
 * What became of the events of one key: a rule at work over all events, in which those of other keys only let time pass.
 * What is begun, ended and found for a key depends on no other key, so that it is what the rule does live; only bounds
 * over all keys are not seen.
 */
export class KeyStory {
  readonly key: string
  readonly rule: Rule
  readonly #work: RuleAtWork
  readonly #types: ReadonlySet<string>
  #isTold = false
  readonly events: Told[] = []
  readonly ended: Ended[] = []
  readonly matches: Match[] = []
  /** What a detector made of its values. */
  readonly judgements: Judgement[] = []
  /** The last of them, also before the range. */
  lastJudgement: Judgement | undefined
  readonly #taken = new Set<string>()
  /** Whether an event of the key was read, also before the range. */
  isKnown = false
  /** Other keys that were read: some of them, for who has mistyped one. */
  readonly others = new Set<string>()
  /** Events of the key that were forgotten, for there are too many. */
  forgotten = 0

  constructor(rule: Rule, key: string) {
    this.key = key
    this.rule = rule
    this.#types = new Set(rule.eventTypes)
    const own: Rule = { ...rule, keyOf: (event) => (rule.keyOf(event) === key ? key : undefined) }
    this.#work = new RuleAtWork(own, undefined, {
      ended: (partial, reason, time) => {
        if (partial.key === key) this.#end({ partial, reason, time })
      },
      judged: (judgement) => this.#judge(judgement),
    })
  }

  /** From now on, what happens is kept. */
  tell(): void {
    this.#isTold = true
  }

  take(event: StoredEvent): void {
    if (!this.#types.has(event.type)) return
    const read = this.rule.keyOf(event)
    const isOwn = read === this.key
    if (isOwn) this.isKnown = true
    else if (read !== undefined && this.others.size < MOST_OTHERS) this.others.add(read)
    const open = isOwn && this.#isTold ? (this.partials ?? []).slice(0, MOST_OPEN) : []
    const advances = this.#work.take(event)
    for (const advance of advances) this.#note(advance)
    if (!isOwn || !this.#isTold) return
    const late = advances.some((advance) => advance.late.some((one) => one.id === event.id))
    this.events.push({ event, late, open })
    if (this.events.length > MOST) {
      this.events.shift()
      this.forgotten += 1
    }
  }

  passStored(storedAt: number): void {
    for (const advance of this.#work.passStored(storedAt)) this.#note(advance)
  }

  /** What is under way, oldest first; undefined: a rule of this kind cannot tell. */
  get partials(): readonly Partial[] | undefined {
    return this.#work.engine.partials(this.key)
  }

  /** Whether it can be told what became of the events of one key. */
  get isTellable(): boolean {
    return this.partials !== undefined || this.rule.executable.judges === true
  }

  /** Event time so far, in ms. */
  get clock(): number | undefined {
    return this.#work.stats().clock
  }

  /** Whether an event is part of something: under way, ended or found. */
  isPart(event: StoredEvent): boolean {
    const identity = eventIdentity(event)
    return this.#taken.has(identity) || (this.partials ?? []).some((partial) => holds(partial, identity))
  }

  #end(ended: Ended): void {
    for (const { event } of ended.partial.taken) this.#taken.add(eventIdentity(event))
    if (!this.#isTold) return
    this.ended.push(ended)
    if (this.ended.length > MOST) this.ended.shift()
  }

  #judge(judgement: Judgement): void {
    this.lastJudgement = judgement
    if (!this.#isTold) return
    this.judgements.push(judgement)
    if (this.judgements.length > MOST) this.judgements.shift()
  }

  #note({ matches }: Advance): void {
    for (const match of matches) {
      for (const event of match.events) this.#taken.add(eventIdentity(event))
      if (this.#isTold && match.key === this.key) this.matches.push(match)
    }
  }
}

function holds({ taken }: Partial, identity: string): boolean {
  return taken.some(({ event }) => eventIdentity(event) === identity)
}
