// ModelGate
//
// What calls of one class of models pass in this process, together with those of all others: the breaker, what the provider has
// frozen, rates by the minute; and the places that this process has.
//
//   SharedAdmission -> ModelGate:   closed, pass(call), left(end)
//   ModelGate -> SharedBreaker:     admits, begin(), left(outcome)
//   ModelGate -> SharedLimiter:     take(cost), adjust(tokens), lower(remaining)
//
// Invariants (tests cite them):
//   MG1  One call at a time waits for tokens, so that what is taken and not yet used is of one call and of the leases.
//   MG2  Nothing begins while the class is frozen or its breaker open, whoever has heard of it; 429 never opens it.
import type { SharedBreaker } from '../../delivery/limits/shared-breaker.js'
import type { SharedLimiter } from '../../delivery/limits/shared-limiter.js'
import type { Cell } from '../../delivery/limits/cell.js'
import { formatTime } from '../../event/rfc3339.js'
import type { Clock } from '../../time/clock.js'
import type { AskedCall, CallEnd } from '../admission.js'
import type { RateStates } from '../rate-headers.js'
import { RetryBudget } from '../retry-budget.js'
import type { CallPlaces } from './call-places.js'
import { freeze, readFrozen } from './frozen-class.js'
import { Turnstile } from './turnstile.js'
import { untilChange } from './until-change.js'
import { WaitingRoom } from './waiting-room.js'

export type RateName = keyof RateStates

export interface ModelGateOptions {
  /** Of the class. */
  readonly name: string
  readonly clock: Clock
  /** The time that all processes go by, in ms since the Unix epoch. */
  readonly now: () => number
  readonly breaker: SharedBreaker
  /** Until when nobody asks. */
  readonly frozen: Cell
  /** What has no limit has none. */
  readonly rates: Readonly<Partial<Record<RateName, SharedLimiter>>>
  readonly places: CallPlaces
  /** Whether jobs of other classes may be behind those that wait here. Default: there are none. */
  readonly others?: () => boolean
}

export interface Later {
  readonly kind: 'later'
  readonly at: number
  readonly why: string
}

/** A call that has passed. */
export interface PassedCall {
  readonly kind: 'passed'
  /**
   * It is over: called once. Never rejects.
   * @param used tokens that count for the limits; undefined: nothing was billed
   */
  left(end: CallEnd, used: { readonly inputTokens: number; readonly outputTokens: number } | undefined): Promise<void>
}

/** Who would wait for longer is told when to come again, in ms. */
const PATIENCE_MS = 20_000
/** Somebody else tries whether the other side works again. */
const PROBE_MS = 3_000

export class ModelGate {
  readonly #options: ModelGateOptions
  readonly #turnstile = new Turnstile()
  readonly #room: WaitingRoom
  readonly #repeats = new RetryBudget()

  constructor(options: ModelGateOptions) {
    this.#options = options
    this.#room = new WaitingRoom(options.clock)
  }

  /** Calls that may run here now, those that run among them. */
  get places(): number {
    const { breaker, places } = this.#options
    if (this.closed !== undefined) return places.running
    return breaker.state.kind === 'closed' ? places.most : places.running + (breaker.admits ? 1 : 0)
  }

  /** Why nothing is begun, and until when. Undefined: something may be. */
  get closed(): Later | undefined {
    const { name, breaker, frozen, now } = this.#options
    const { until, reason } = readFrozen(frozen.value)
    if (until > now()) {
      const time = formatTime(until)
      const refused = `the provider refuses calls of ${name} (${reason}): the next one is made at ${time}`
      const why = reason === 'permission' ? refused : `the provider asks to leave ${name} alone until ${time}`
      return { kind: 'later', at: until, why }
    }
    const opens = breaker.until
    return opens === undefined || opens <= now()
      ? undefined
      : { kind: 'later', at: opens, why: breaker.because ?? `${name} is left alone` }
  }

  /** Waits while that is a matter of seconds. @throws `signal.reason` */
  async pass(call: AskedCall, signal: AbortSignal): Promise<PassedCall | Later> {
    const { places, name, now, others } = this.#options
    const urgent = call.lane === 'urgent'
    const full = (): boolean => others?.() === true && !this.#room.hasRoom(places, urgent)
    if (full()) await this.#room.pause(signal)
    // who would keep jobs of other classes from being begun comes again; nobody enters between this and what follows
    if (full())
      return { kind: 'later', at: Math.ceil(now() + this.#room.turn()), why: `all places of ${name} are taken` }
    const leave = this.#room.enter(urgent)
    let answer: PassedCall | Later | undefined
    try {
      return (answer = await this.#passed(call, signal))
    } finally {
      leave(answer?.kind === 'passed')
    }
  }

  async #passed(call: AskedCall, signal: AbortSignal): Promise<PassedCall | Later> {
    await this.#turnstile.enter(call.lane === 'urgent', signal)
    let repeats: number | undefined
    let passed: PassedCall | undefined
    try {
      for (;;) {
        signal.throwIfAborted()
        const wait = (await this.#untilOpen(signal)) ?? this.#tooLong(call)
        if (wait !== undefined) return wait
        if (call.repeats && repeats === undefined) {
          const began = this.#options.clock.monotonic()
          const pause = this.#repeats.take(began)
          if (pause > 0) return this.#tooMany(pause)
          repeats = began
        }
        const taken = await this.#take(call, signal)
        passed = this.#enter(call)
        if (passed !== undefined) return passed
        giveBack(taken)
      }
    } finally {
      if (passed === undefined && repeats !== undefined) this.#repeats.giveBack(repeats)
      this.#turnstile.leave()
    }
  }

  /** Until there is a place, and nothing is in the way. */
  async #untilOpen(signal: AbortSignal): Promise<Later | undefined> {
    const { breaker, places, clock, now, name } = this.#options
    const began = clock.monotonic()
    for (;;) {
      const { closed } = this
      if (closed !== undefined) return closed
      if (breaker.admits && places.free) return undefined
      if (breaker.admits) {
        await places.freed(signal)
        continue
      }
      // whoever tries whether it works again tells more often that he still does
      const patience = began + PROBE_MS - clock.monotonic()
      if (patience <= 0)
        return { kind: 'later', at: now() + PROBE_MS, why: breaker.because ?? `${name} is being tried again` }
      await untilChange(clock, patience, signal, (tell) => breaker.onChange(tell))
    }
  }

  /** What takes too long to be waited for. */
  #tooLong(call: AskedCall): Later | undefined {
    const { now, name, rates } = this.#options
    const waits = costsOf(call).map(([rate, cost]) => rates[rate]?.waitFor(cost) ?? 0)
    const wait = Math.max(0, ...waits)
    return wait <= PATIENCE_MS
      ? undefined
      : { kind: 'later', at: Math.ceil(now() + wait), why: `the rates of ${name} are used up` }
  }

  #tooMany(pause: number): Later {
    const { now, name } = this.#options
    return { kind: 'later', at: Math.ceil(now() + pause), why: `too many calls of ${name} are repetitions` }
  }

  async #take(call: AskedCall, signal: AbortSignal): Promise<readonly Taken[]> {
    const taken: Taken[] = []
    try {
      for (const [rate, cost] of costsOf(call)) {
        const limiter = this.#options.rates[rate]
        if (limiter === undefined) continue
        await limiter.take(cost, signal)
        taken.push([limiter, cost])
      }
      return taken
    } catch (error) {
      giveBack(taken)
      throw error
    }
  }

  /** In one turn: what was free when tokens were waited for may not be any more. */
  #enter(call: AskedCall): PassedCall | undefined {
    const { breaker, places, clock } = this.#options
    if (this.closed !== undefined || !breaker.admits || !places.free) return undefined
    breaker.begin()
    const place = places.take()
    const began = clock.monotonic()
    if (!call.repeats) this.#repeats.called(began)
    return {
      kind: 'passed',
      left: async (end, used) => {
        place.leave(end)
        if (call.repeats && end.kind === 'answered') this.#repeats.answered()
        const failed = end.kind === 'failed' && end.failure.ill
        const cause = end.kind === 'failed' ? end.failure.reason : 'OK'
        breaker.left(failed ? 'failed' : end.kind === 'answered' ? 'ok' : 'ignored', began, cause)
        await this.#correct(call, end, used)
      },
    }
  }

  async #correct(call: AskedCall, end: CallEnd, used: Parameters<PassedCall['left']>[1]): Promise<void> {
    const { rates, frozen } = this.#options
    rates.inputTokens?.adjust((used?.inputTokens ?? 0) - call.inputTokens)
    rates.outputTokens?.adjust((used?.outputTokens ?? 0) - call.outputTokens)
    if (end.kind === 'aborted') return
    const stored: Promise<unknown>[] = Object.entries(end.rates).map(([rate, { remaining }]) =>
      rates[rate as RateName]?.lower(remaining),
    ) as Promise<unknown>[]
    if (end.kind === 'failed' && end.frozenUntil !== undefined)
      stored.push(freeze(frozen, { until: end.frozenUntil, reason: end.failure.reason }))
    // without the server nobody is admitted by others either; the provider says it again
    await Promise.allSettled(stored)
  }
}

type Taken = readonly [SharedLimiter, number]

function giveBack(taken: readonly Taken[]): void {
  for (const [limiter, cost] of taken) limiter.adjust(-cost)
}

function costsOf({ inputTokens, outputTokens }: AskedCall): readonly (readonly [RateName, number])[] {
  // what is scarcest is mostly what an answer may have: it is waited for first
  return [
    ['outputTokens', outputTokens],
    ['inputTokens', inputTokens],
    ['requests', 1],
  ]
}
