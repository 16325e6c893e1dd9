import type { StoredEvent } from '../../event/event.js'
import { EarlyResults, type SavedEarly } from './early-results.js'
import type { Part, SavedPart } from './part.js'
import type { KeyWindows, WindowContext } from './window-plan.js'
import type { SessionShape, Span } from './window-shape.js'

interface Session {
  part: Part
  /** Results that were given and are now part of a longer session. */
  replaces: readonly Span[]
  /** Its result was given. */
  given: boolean
}

type SavedSession = readonly [part: SavedPart, replaces: readonly Span[], given: 0 | 1]
type Saved = readonly [early: SavedEarly | 0, sessions: readonly SavedSession[]]

/** Sessions of one key, in order of time. */
export class SessionWindows implements KeyWindows {
  readonly #key: string
  readonly #with: WindowContext
  readonly #gap: number
  readonly #early: EarlyResults
  readonly #sessions: Session[]

  constructor(key: string, context: WindowContext, { gap }: SessionShape, saved?: unknown) {
    const state = saved as Saved | undefined
    this.#key = key
    this.#with = context
    this.#gap = gap
    const early = state?.[0]
    this.#early = new EarlyResults(context.plan.early, early === 0 ? undefined : early)
    this.#sessions = (state?.[1] ?? []).map(([part, replaces, given]) => ({
      part: context.plan.accumulators.load(part),
      replaces,
      given: given === 1,
    }))
  }

  get deadline(): number {
    const open = this.#open
    return open === undefined ? Infinity : Math.min(open.part.end, this.#early.due)
  }

  get forgetAt(): number {
    const oldest = this.#sessions[0]
    return oldest === undefined ? Infinity : oldest.part.end + this.#with.plan.keep
  }

  get oldest(): number {
    return this.#sessions[0]?.part.first.time ?? Infinity
  }

  get size(): number {
    return this.#sessions.length
  }

  get open(): Part | undefined {
    return this.#open?.part
  }

  add(event: StoredEvent): void {
    const open = this.#open
    if (open === undefined) return this.addBehind(event, event.time)
    const { plan, errors } = this.#with
    plan.accumulators.add(open.part, event, errors)
    open.part.end = event.time + this.#gap
    if (this.#early.came(event.time)) this.#put(open, 'early', event.time)
  }

  isTooLate(time: number, now: number): boolean {
    if (time + this.#gap + this.#with.plan.keep > now) return false
    return !this.#sessions.some(({ part }) => this.#touches(part, time))
  }

  /** Puts the event in its session, which may so become one with its neighbours. */
  addBehind(event: StoredEvent, now: number): void {
    const wasOpen = this.#open
    const session = this.#sessionOf(event)
    if (session === undefined) return
    if (session.part.end <= now) {
      session.given = true
      this.#put(session, 'late', now)
      this.forget(now)
      return
    }
    session.given = false
    if (session !== wasOpen) this.#early.given()
    if (this.#early.came(now)) this.#put(session, 'early', now)
  }

  fire(): void {
    const open = this.#open
    if (open === undefined) return
    const now = this.deadline
    if (now < open.part.end) this.#put(open, 'early', now)
    else {
      open.given = true
      this.#put(open, 'final', now)
    }
    this.#early.given()
    this.forget(now)
  }

  forget(now: number): void {
    const { keep } = this.#with.plan
    let gone = 0
    for (const { part, given } of this.#sessions) {
      if (!given || part.end + keep > now) break
      gone++
    }
    this.#sessions.splice(0, gone)
  }

  save(): Saved {
    const { accumulators } = this.#with.plan
    return [
      this.#early.save(),
      this.#sessions.map(({ part, replaces, given }) => [accumulators.save(part), replaces, given ? 1 : 0] as const),
    ]
  }

  /** The session that time has not ended: if there is one, it is the last. */
  get #open(): Session | undefined {
    const last = this.#sessions.at(-1)
    return last?.given === false ? last : undefined
  }

  #touches({ start, end }: Span, time: number): boolean {
    return time < end && time + this.#gap > start
  }

  /** The session of the event, with those that it joins to one. */
  #sessionOf(event: StoredEvent): Session | undefined {
    const { plan, errors } = this.#with
    const sessions = this.#sessions
    let from = sessions.length
    while (from > 0 && (sessions[from - 1] as Session).part.end > event.time) from--
    let to = from
    while (to < sessions.length && this.#touches((sessions[to] as Session).part, event.time)) to++
    const [first, ...others] = sessions.slice(from, to)
    if (first === undefined) return this.#insert(from, event)
    plan.accumulators.add(first.part, event, errors)
    const before = { start: first.part.start, end: first.part.end }
    const replaces = [first, ...others].flatMap((each) =>
      each.given ? [...each.replaces, span(each.part)] : each.replaces,
    )
    first.part.start = Math.min(first.part.start, event.time)
    first.part.end = Math.max(first.part.end, event.time + this.#gap)
    for (const other of others) plan.accumulators.merge(first.part, other.part)
    sessions.splice(from + 1, others.length)
    const { start, end } = first.part
    first.replaces = replaces.filter((each) => each.start !== start || each.end !== end)
    first.given &&= before.start === start && before.end === end
    return first
  }

  #insert(at: number, event: StoredEvent): Session | undefined {
    const { plan, errors, drops } = this.#with
    const { windowsPerKey, policy } = plan.limits
    let place = at
    if (this.#sessions.length >= windowsPerKey) {
      if (!drops.makeRoom(policy, 'windowsPerKey', windowsPerKey, this.#key)) return undefined
      this.#sessions.shift()
      place = Math.max(0, at - 1)
    }
    const part = plan.accumulators.open(event.time, event.time + this.#gap, event, errors)
    const session: Session = { part, replaces: [], given: false }
    this.#sessions.splice(place, 0, session)
    return session
  }

  #put({ part, replaces }: Session, kind: 'early' | 'final' | 'late', now: number): void {
    this.#with.put(this.#key, { ...span(part), ...(replaces.length > 0 ? { replaces } : {}) }, part, kind, now)
  }
}

function span({ start, end }: Span): Span {
  return { start, end }
}
