import { fault } from '../../error/millrace-error.js'
import type { Contiguity } from '../pattern/pattern.js'
import type { Branch, Condition, Place, State, StateData, Step, Tail, Taken } from './state.js'

interface Draft {
  places: Place[]
  bans: number[]
  nextBans: number[]
  nextBanGate: number | null
  ways: number
  endsNext: boolean
  endsLater: boolean
  completes: boolean
}

/**
 * The states of one pattern, made when an event first reaches them. Two partial matches that wait for the same things
 * share one state.
 */
export class StateTable {
  readonly #steps: readonly Step[]
  readonly #conditions: readonly Condition[]
  readonly #tail: Tail
  readonly #states = new Map<string, State>()

  constructor(steps: readonly Step[], conditions: readonly Condition[], tail: Tail) {
    this.#steps = steps
    this.#conditions = conditions
    this.#tail = tail
  }

  /** The state from which every match begins. */
  start(): State {
    const draft = emptyDraft()
    this.#enter(0, draft, null)
    const state = this.#intern(draft)
    if (state === null) throw fault('INTERNAL', 'a pattern without a first stage was compiled')
    return state
  }

  /** The state that a snapshot names. */
  restore(text: string): State {
    const known = this.#states.get(text)
    if (known !== undefined) return known
    const state = this.#intern({ ...(JSON.parse(text) as StateData), completes: false } as Draft)
    if (state === null) throw fault('SNAPSHOT_MISMATCH', `state ${text}`)
    return state
  }

  /** What becomes of a partial match whose branch takes an event. */
  taken(branch: Branch): Taken {
    if (branch.taken !== null) return branch.taken
    const { step, place } = branch
    const draft = emptyDraft()
    const count = step.max === null ? Math.min(place.count + 1, step.min) : place.count + 1
    if (step.max === null || count < step.max) draft.places.push({ step: step.index, count, gate: null })
    if (count >= step.min) {
      this.#enter(step.index + 1, draft, greedyGate(step))
    }
    const unless = draft.nextBans.map((index) => this.#condition(index))
    branch.taken = { completes: draft.completes, unless, state: this.#intern(draft) }
    return branch.taken
  }

  /** What becomes of a partial match that ignored an event with the branches of the mask. */
  left(state: State, mask: number): State | null {
    const known = state.left.get(mask)
    if (known !== undefined) return known
    const { bans, places, endsLater } = state.data
    const waiting = places.filter((_, at) => (mask & (1 << at)) !== 0)
    const ways = waiting.length + (endsLater ? 1 : 0)
    const next = this.#intern({ ...emptyDraft(), places: waiting, bans: [...bans], ways, endsLater })
    state.left.set(mask, next)
    return next
  }

  /** Adds what a match waits for when the next event may go to stage `at`. */
  #enter(at: number, draft: Draft, gate: number | null): void {
    const step = this.#steps[at]
    const { bans, nextBans } = step ?? this.#tail
    draft.bans.push(...bans.map((c) => c.index))
    draft.nextBans.push(...nextBans.map((c) => c.index))
    if (nextBans.length > 0) draft.nextBanGate = gate
    if (step !== undefined) {
      draft.places.push({ step: at, count: 0, gate })
      if (step.stage.optional === true) this.#enter(at + 1, draft, greedyGate(step))
    } else if (nextBans.length > 0) draft.endsNext = true
    else if (bans.length > 0) draft.endsLater = true
    else draft.completes = true
  }

  #intern(draft: Draft): State | null {
    const { completes: _, ...data } = draft
    if (data.places.length === 0 && !data.endsNext && !data.endsLater) return null
    const text = JSON.stringify(data)
    let state = this.#states.get(text)
    if (state === undefined) {
      state = this.#build(text, data)
      this.#states.set(text, state)
    }
    return state
  }

  #build(text: string, data: StateData): State {
    const branches = data.places.map((place) => this.#branch(place))
    const bans = data.bans.map((index) => this.#condition(index))
    const nextBans = data.nextBans.map((index) => this.#condition(index))
    const nextBanGate = data.nextBanGate === null ? null : this.#step(data.nextBanGate)
    const gates = branches.map((b) => b.gate).concat(nextBanGate)
    const watched = branches
      .flatMap((b) => [b.condition, b.until])
      .concat(
        gates.map((g) => g?.condition ?? null),
        bans,
        nextBans,
      )
    return {
      text,
      data,
      branches,
      bans,
      nextBans,
      nextBanGate,
      endsNext: data.endsNext,
      endsLater: data.endsLater,
      watch: watched.reduce((bits, c) => bits | (c?.bit ?? 0), 0),
      left: new Map(),
      patient: branches.reduce((mask, b, at) => (b.ignore === 'never' ? mask : mask | (1 << at)), 0),
    }
  }

  #branch(place: Place): Branch {
    const step = this.#step(place.step)
    const { stage, condition, until } = step
    const contiguity = (place.count === 0 ? stage.contiguity : stage.inner) ?? 'relaxed'
    const gate = place.gate === null ? null : this.#step(place.gate)
    return { place, step, condition, until, gate, ignore: IGNORE[contiguity], taken: null }
  }

  #step(index: number): Step {
    const step = this.#steps[index]
    if (step === undefined) throw fault('SNAPSHOT_MISMATCH', `stage ${index}`)
    return step
  }

  #condition(index: number): Condition {
    const condition = this.#conditions[index]
    if (condition === undefined) throw fault('SNAPSHOT_MISMATCH', `condition ${index}`)
    return condition
  }
}

/** What a greedy repetition takes for itself, the stage after it does not get. */
function greedyGate({ stage, min, max, index }: Step): number | null {
  return stage.greedy === true && min !== max ? index : null
}

const IGNORE: Readonly<Record<Contiguity, Branch['ignore']>> = { strict: 'never', relaxed: 'unless', any: 'always' }

function emptyDraft(): Draft {
  return {
    places: [],
    bans: [],
    nextBans: [],
    nextBanGate: null,
    ways: 1,
    endsNext: false,
    endsLater: false,
    completes: false,
  }
}
