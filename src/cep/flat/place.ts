import type { Contiguity, GroupStage, Matcher, NotStage, Pattern, Stage, TakeStage } from '../pattern/pattern.js'
import { ALWAYS, and, type Guard } from './guard.js'

/** A stage at its place: what is around it decides how it is joined. */
export interface Place {
  readonly stages: readonly Stage[]
  readonly at: number
  /** The stage after it, also when that is behind the group which it ends. */
  readonly following: Stage | null
  /** The group that it is in, with how the group's first stage joins what comes before. */
  readonly inside: { readonly group: GroupStage; readonly first: boolean; readonly joins: Contiguity } | null
}

/** What must hold for a stage at its place to take or to ignore an event, or to be passed. */
export class Openings {
  readonly #bit: (matcher: Matcher) => number

  constructor(bit: (matcher: Matcher) => number) {
    this.#bit = bit
  }

  take(place: Place, stage: TakeStage | NotStage | GroupStage): Guard {
    return and(ALWAYS, stage.kind === 'group' ? 0 : this.#bit(stage), this.#groupUntil(place))
  }

  /** To go on with the same event. */
  pass(place: Place): Guard {
    return and(ALWAYS, 0, this.#groupUntil(place))
  }

  /** Before the first repetition; null: nothing may be ignored. */
  ignoreBefore(place: Place, stage: TakeStage | GroupStage): Guard | null {
    const { inside, at } = place
    const joins = at === 0 && inside !== null ? inside.joins : joinOf(place, stage)
    return this.#ignore(place, stage, joins, 0)
  }

  /** Between repetitions. As in Flink, those of a group's first stage are joined as the group's own are. */
  ignoreBetween(place: Place, stage: TakeStage | GroupStage, until: number): Guard | null {
    const { inside, at } = place
    const inner = at === 0 && inside !== null ? inside.group.inner : stage.inner
    return this.#ignore(place, stage, inner ?? 'relaxed', until)
  }

  #ignore(place: Place, stage: TakeStage | GroupStage, joins: Contiguity, until: number): Guard | null {
    if (joins === 'strict') return null
    const own = joins === 'relaxed' && stage.kind === 'take' ? this.#bit(stage) : 0
    return and(ALWAYS, 0, own | until | this.#groupUntil(place))
  }

  #groupUntil({ inside }: Place): number {
    return inside?.group.until === undefined ? 0 : this.#bit(inside.group.until)
  }
}

/** How a stage or group joins what comes before it; what begins a list, if nothing else is said, begins it at once. */
export function joinOf({ at }: Place, { kind, contiguity }: TakeStage | GroupStage): Contiguity {
  if (at > 0) return contiguity ?? 'relaxed'
  return kind === 'group' ? (contiguity ?? 'strict') : 'strict'
}

/** The relaxed nots whose ban still holds at a place: those right before it, and before optional stages before it. */
export function bansBefore({ stages, at }: Place): NotStage[] {
  const bans: NotStage[] = []
  for (let before = at - 1; before >= 0; before--) {
    const stage = stages[before] as Stage
    if (stage.kind === 'not' && stage.contiguity === 'relaxed') bans.push(stage)
    else if (stage.kind === 'not' || stage.optional !== true) break
  }
  return bans
}

export function headsOptionalGroup({ at, inside }: Place): boolean {
  return at === 0 && inside !== null && inside.first && inside.group.optional === true
}

/** Gap windows of the places where a pattern waits, in ms. */
export class Gaps {
  readonly #asFlink: boolean
  readonly #named = new Set<Stage>()

  constructor({ compat }: Pattern) {
    this.#asFlink = compat === 'flink'
  }

  /** Every event that is taken comes less than this after the one before it. */
  of(place: Place, stage: TakeStage, initial: boolean): number {
    if (this.#asFlink) return this.named(stage)
    const gap = initial ? between(stage.withinPrev) : between(stage.withinPrev, stage.timesWindow)
    const { inside, at } = place
    if (!initial || at > 0 || inside === null) return gap
    const { withinPrev, timesWindow } = inside.group
    return Math.min(gap, inside.first ? between(withinPrev) : between(withinPrev, timesWindow))
  }

  /**
   * As Flink does it: the window of a repetition is asked of every place but the one that is made first, which is the
   * last repetition; and the window of a stage that is repeated is asked of none.
   */
  named(stage: Stage): number {
    if (!this.#asFlink) return Infinity
    const known = this.#named.has(stage)
    this.#named.add(stage)
    if (stage.kind === 'not' || stage.times === undefined) return between(stage.withinPrev)
    return known ? between(stage.timesWindow) : Infinity
  }

  /** Where an event was ignored already. Flink asks for no window there. */
  ofWaiting(gap: number): number {
    return this.#asFlink ? Infinity : gap
  }
}

function between(...gaps: (number | undefined)[]): number {
  return Math.min(...gaps.map((gap) => gap ?? Infinity))
}
