// Judges what handlers have made of what was published: each event ends once, as its effect, as a dead letter, or parked.
import type { Errand } from '../delivery-streams/errands/events.ts'
import type { LetterState } from '../../src/delivery/letters/letter-records.ts'
import type { Effect } from './ledger.ts'

export interface Published {
  readonly id: string
  readonly handler: string
  readonly data: Errand
}

export interface Letter {
  readonly id: string
  readonly handler: string
  readonly number: number
  readonly generation: number
  readonly code: string
  /** What it says of its failure. */
  readonly detail?: string
  readonly state: LetterState
}

export interface Found {
  readonly published: readonly Published[]
  /** In the order in which they were made. */
  readonly effects: readonly Effect[]
  readonly letters: readonly Letter[]
  /** Keys of which nothing more is handled, since one of their events has failed. */
  readonly parked: readonly { readonly handler: string; readonly key: string }[]
  /** Handlers that keep the order of keys. */
  readonly ordered: readonly string[]
  /** Whether something was done to a process, its link, or the server in that time. */
  readonly disturbed: (pid: number, from: number, until: number) => boolean
}

export interface DeliveryVerdict {
  readonly events: number
  readonly effects: number
  readonly dead: number
  readonly parked: number
  /** Letters whose event was sent back, and has its fate. */
  readonly redriven: number
  /** Effects that were made a second time, where nothing but the id of the effect can prevent that, by a fault. */
  readonly repeated: number
  /** Dead, though nothing was wrong with them: their processes were killed again and again. */
  readonly unlucky: number
  readonly lost: number
  /** Effects that are there twice. */
  readonly doubled: number
  /** An effect, and a dead letter that nobody has redriven; or a letter that was redriven for ever. */
  readonly both: number
  /** What can never be done was. */
  readonly different: number
  readonly outOfOrder: number
  readonly examples: readonly string[]
}

/** Attempts that always fail. */
export const FOR_EVER = 99
/** A fault may have begun before the effect that it undid, in ms. */
const BEFORE_MS = 1_000

export function judgeDelivery(found: Found): DeliveryVerdict {
  const judging = new Judging(found)
  for (const one of found.published) judging.event(one)
  for (const handler of found.ordered) judging.order(handler)
  judging.unknown()
  return { ...judging.counts, examples: judging.examples }
}

class Judging {
  readonly counts = {
    events: 0,
    effects: 0,
    dead: 0,
    parked: 0,
    redriven: 0,
    repeated: 0,
    unlucky: 0,
    lost: 0,
    doubled: 0,
    both: 0,
    different: 0,
    outOfOrder: 0,
  }
  readonly examples: string[] = []
  readonly #found: Found
  readonly #effects: ReadonlyMap<string, readonly Effect[]>
  readonly #letters: ReadonlyMap<string, readonly Letter[]>
  readonly #parked: ReadonlySet<string>
  /** The first event of a parked key that waits. */
  readonly #waits = new Map<string, Published>()
  readonly #known = new Set<string>()

  constructor(found: Found) {
    this.#found = found
    this.#effects = byEvent(found.effects)
    this.#letters = byEvent(found.letters)
    this.#parked = new Set(found.parked.map(({ handler, key }) => `${handler} ${key}`))
    this.counts.redriven = found.letters.filter(({ state }) => state === 'handled' || state === 'again').length
  }

  event(one: Published): void {
    const name = nameOf(one)
    this.#known.add(name)
    this.counts.events += 1
    const effects = this.#effects.get(name) ?? []
    const last = (this.#letters.get(name) ?? []).toSorted((a, b) => a.number - b.number).at(-1)
    const crashed = last?.code === 'HANDLER_CRASHED'
    const parked = effects.length === 0 && !crashed && this.#parked.has(`${one.handler} ${one.data.key}`)
    const dead = last !== undefined && !parked && last.state !== 'handled' && last.state !== 'parked'
    if (effects.length > 0) this.counts.effects += 1
    if (dead) this.counts.dead += 1
    if (parked) this.counts.parked += 1
    const { fails, heals, how } = one.data
    const ends = Number(effects.length > 0) + Number(dead) + Number(parked)
    if (ends === 0) {
      const trace = last === undefined ? 'no trace of it' : `letter ${last.number} was handled`
      this.#note('lost', one, `${trace}; ${JSON.stringify(one.data)}`)
    }
    // whether one of which its processes have ended was done nobody can say, and its letter says that
    if (ends > 1 && !crashed) this.#note('both', one, `an effect, and letter ${last?.number} (${last?.code})`)
    if (last?.state === 'redriving') this.#note('both', one, `letter ${last.number} is redriven for ever`)
    if (effects.length > 0 && fails >= FOR_EVER && !heals)
      this.#note('different', one, `it fails (${how}), and was done`)
    if (dead && (fails < FOR_EVER || (heals && last.generation > 0)))
      this.#note(
        'unlucky',
        one,
        `letter ${last.number}, ${last.code}: ${last.detail ?? ''}; generation ${last.generation}, ${JSON.stringify(one.data)}`,
      )
    this.#twice(one, effects)
    const before = this.#waits.get(`${one.handler} ${one.data.key}`)
    if (parked) this.#waits.set(`${one.handler} ${one.data.key}`, before ?? one)
    else if (effects.length > 0 && before !== undefined && before.data.n < one.data.n)
      this.#note('outOfOrder', one, `done, and ${before.id} waits in the park`)
  }

  /** The first effects of a key, in the order of its events. */
  order(handler: string): void {
    const last = new Map<string, number>()
    const seen = new Set<string>()
    for (const effect of this.#found.effects) {
      if (effect.handler !== handler || seen.has(effect.id)) continue
      seen.add(effect.id)
      // what was redriven comes later, as it was asked to
      if (this.#letters.has(nameOf(effect))) continue
      if (effect.n < (last.get(effect.key) ?? 0)) this.#note('outOfOrder', effect, `behind ${last.get(effect.key)}`)
      last.set(effect.key, Math.max(effect.n, last.get(effect.key) ?? 0))
    }
  }

  /** Effects of nothing that was published. */
  unknown(): void {
    for (const [name, [effect]] of this.#effects)
      if (!this.#known.has(name) && effect !== undefined) this.#note('different', effect, 'nobody has published it')
  }

  #twice(one: Published, effects: readonly Effect[]): void {
    for (const [at, effect] of effects.entries()) {
      const former = effects[at - 1]
      if (former === undefined) continue
      const excused = !effect.exact && this.#found.disturbed(former.pid, former.at - BEFORE_MS, effect.at)
      this.#note(
        excused ? 'repeated' : 'doubled',
        one,
        `at ${former.at} by ${former.pid}, at ${effect.at} by ${effect.pid}`,
      )
    }
  }

  #note(what: keyof Judging['counts'], { handler, id }: { handler: string; id: string }, text: string): void {
    this.counts[what] += 1
    if (what !== 'repeated' && this.examples.length < 20) this.examples.push(`${what}: ${handler} ${id}: ${text}`)
  }
}

function nameOf({ handler, id }: { readonly handler: string; readonly id: string }): string {
  return `${handler} ${id}`
}

function byEvent<T extends { readonly handler: string; readonly id: string }>(all: readonly T[]): Map<string, T[]> {
  const found = new Map<string, T[]>()
  for (const one of all) {
    const known = found.get(nameOf(one))
    if (known === undefined) found.set(nameOf(one), [one])
    else known.push(one)
  }
  return found
}
