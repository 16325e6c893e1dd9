// Holding
//
// One unit in the hands of this member: taken, run, stopped, given back. The record is written before the unit runs, and
// the one that gives it back after it has stopped; in between another member keeps off.
import { fault, isFault, messageOf, type MillraceError } from '../../error/millrace-error.js'
import type { Unit } from './assign.js'
import type { DrainReason, InHand } from './decide.js'
import type { HoldingPort, UnitRun } from './holding-port.js'

const SHORTEST_PAUSE_MS = 500
const LONGEST_PAUSE_MS = 30_000
/** Who has run for so long begins anew with short pauses. */
const STEADY_MS = 60_000
const WRITE_AGAIN_MS = 250
const LAST_ATTEMPT = 8

export class Holding implements InHand {
  readonly unit: Unit
  /** Resolves when the unit is given back, or lost and stopped, or was not taken. */
  readonly released: Promise<void>
  /** Resolves, after that, when nothing of the unit is at work here: one that does not stop must not be started twice. */
  readonly done: Promise<void>
  readonly #port: HoldingPort
  #sequence = 0
  #phase: 'taking' | 'starting' | 'running' | 'pausing' | 'leaving' = 'taking'
  #asked: DrainReason | 'lost' | undefined
  #askedAt = 0
  #saying = false
  #toldLost = false
  #stopped: Promise<void> | undefined
  #pauseMs = SHORTEST_PAUSE_MS
  #goOn: () => void = () => undefined
  #heard: () => void = () => undefined
  readonly #whenAsked: Promise<undefined>

  constructor(unit: Unit, expected: number, port: HoldingPort) {
    this.unit = unit
    this.#port = port
    this.#whenAsked = new Promise((resolve) => {
      this.#heard = () => resolve(undefined)
    })
    this.released = this.#live(expected)
    this.done = this.released.then(() => this.#stopped)
  }

  get sequence(): number {
    return this.#sequence
  }

  get taking(): boolean {
    return this.#phase === 'taking'
  }

  get leaving(): boolean {
    return this.#asked !== undefined || this.#phase === 'leaving'
  }

  get running(): boolean {
    return this.#phase === 'running'
  }

  drain(reason: DrainReason): void {
    if (this.#asked === undefined) this.#ask(reason)
  }

  /** Another member holds it: stop, and leave the record to that member. */
  lose(): void {
    if (this.#asked === 'lost') return
    this.#tellLost()
    this.#ask('lost')
  }

  /** The link is back: what ended for want of it is not waited for any longer. */
  linked(): void {
    this.#pauseMs = SHORTEST_PAUSE_MS
    this.#goOn()
  }

  /** Writes once more that this member holds it, into a stream that has forgotten. */
  async sayAgain(): Promise<void> {
    if (this.leaving || this.taking || this.#saying) return
    this.#saying = true
    try {
      const sequence = await this.#port.take(this.unit.id, 0)
      if (sequence !== undefined) this.#sequence = sequence
    } catch (error) {
      this.#port.onEvent(this.unit.id, { kind: 'not-written', error: asKnown(error) }) // asked again in a moment
    }
    this.#saying = false
  }

  /** What was known about sequences is void: the stream was made anew. */
  forget(): void {
    this.#sequence = 0
  }

  #ask(reason: DrainReason | 'lost'): void {
    this.#asked = reason
    this.#askedAt = this.#port.clock.monotonic()
    this.#heard()
  }

  async #live(expected: number): Promise<void> {
    if (!(await this.#take(expected))) return
    await this.#work()
    this.#phase = 'leaving'
    if (this.#asked !== 'lost') await this.#giveBack()
  }

  async #take(expected: number): Promise<boolean> {
    try {
      const sequence = await this.#port.take(this.unit.id, expected)
      if (sequence === undefined) return false
      this.#sequence = sequence
    } catch (error) {
      this.#port.onEvent(this.unit.id, { kind: 'not-written', error: asKnown(error) })
      // if it was stored all the same, the log says so, and whoever decides takes it from there
      await this.#sleep(WRITE_AGAIN_MS)
      return false
    }
    this.#port.onEvent(this.unit.id, { kind: 'taken' })
    return true
  }

  /** Runs the unit until it is asked back and has stopped, or cannot run here. */
  async #work(): Promise<void> {
    while (this.#asked === undefined) {
      const startedAt = this.#port.clock.monotonic()
      const error = await this.#runOnce()
      if (error === undefined || this.#asked !== undefined) return
      if (error.code === 'PROCESSOR_FENCED') {
        this.#tellLost()
        await this.#confirmed() // as a rule the record names the other by now
      } else if (error.disposition !== 'retry') {
        this.#phase = 'leaving'
        this.#askedAt = this.#port.clock.monotonic()
        return this.#port.onEvent(this.unit.id, { kind: 'refused', error })
      }
      if (this.leaving) return
      if (this.#port.clock.monotonic() - startedAt > STEADY_MS) this.#pauseMs = SHORTEST_PAUSE_MS
      this.#phase = 'pausing'
      this.#port.onEvent(this.unit.id, { kind: 'ended', error, pauseMs: this.#pauseMs })
      // a claim from outside is waited out too, or the two would take the unit from each other again and again
      do {
        const pauseMs = this.#pauseMs
        this.#pauseMs = Math.min(2 * pauseMs, LONGEST_PAUSE_MS)
        await this.#sleep(pauseMs)
      } while (!this.leaving && !(await this.#confirmed()))
    }
  }

  /** Reads the record anew: whether it still names this member. */
  async #confirmed(): Promise<boolean> {
    const owner = await settled(() => this.#port.ownerOf(this.unit.id))
    if (owner.kind === 'failed' || owner.value === null) return false
    if (owner.value === this.#port.member) return true
    this.lose()
    return false
  }

  #tellLost(): void {
    if (this.#toldLost) return
    this.#toldLost = true
    this.#port.onEvent(this.unit.id, { kind: 'lost' })
  }

  /** Resolves with what ended it by itself; undefined: it was asked back, and stopped. */
  async #runOnce(): Promise<MillraceError | undefined> {
    const { clock, onEvent } = this.#port
    const since = clock.monotonic()
    this.#phase = 'starting'
    this.#toldLost = false
    const starting = settled(() => this.#port.run(this.unit.id))
    const started = await Promise.race([starting, this.#whenAsked])
    if (started === undefined) return this.#stop(starting)
    if (started.kind === 'failed') return started.error
    this.#phase = 'running'
    onEvent(this.unit.id, { kind: 'running', afterMs: clock.monotonic() - since })
    const ended = await Promise.race([settled(() => started.value.ended), this.#whenAsked])
    if (ended === undefined) return this.#stop(starting)
    return ended.kind === 'failed' ? ended.error : fault('INTERNAL', `${this.unit.id} ended without being stopped`)
  }

  /** Resolves when the unit has stopped, or the limit has passed. */
  async #stop(starting: Promise<Settled<UnitRun>>): Promise<undefined> {
    const { clock, drainLimitMs, onEvent } = this.#port
    this.#stopped = starting.then(async (started) => {
      if (started.kind === 'failed') return
      void settled(() => started.value.ended)
      const end = await settled(() => started.value.stop())
      if (end.kind === 'done') return
      if (isFault(end.error, 'PROCESSOR_FENCED')) this.lose()
      else onEvent(this.unit.id, { kind: 'stopped-badly', error: end.error })
    })
    let cancel: () => void = () => undefined
    const late = new Promise<'late'>((resolve) => {
      cancel = clock.after(drainLimitMs, () => resolve('late'))
    })
    if ((await Promise.race([this.#stopped, late])) === 'late') onEvent(this.unit.id, { kind: 'does-not-stop' })
    cancel()
    return undefined
  }

  async #giveBack(): Promise<void> {
    const { clock, onEvent } = this.#port
    for (let attempt = 1; this.#asked !== 'lost'; attempt++) {
      try {
        if (!(await this.#port.giveBack(this.unit.id, this.#sequence))) return this.lose()
        const reason = this.#asked ?? 'failed'
        return onEvent(this.unit.id, { kind: 'released', reason, afterMs: clock.monotonic() - this.#askedAt })
      } catch (error) {
        onEvent(this.unit.id, { kind: 'not-written', error: asKnown(error) })
      }
      // who leaves does not wait for ever: the others find out when it is silent
      if (this.#asked === 'leaving' && attempt === LAST_ATTEMPT) return
      await new Promise<void>((resolve) => clock.after(WRITE_AGAIN_MS, resolve))
    }
  }

  /** Ends early when it is asked back, and when the link is back. */
  async #sleep(ms: number): Promise<void> {
    let cancel: () => void = () => undefined
    const passed = new Promise<void>((resolve) => {
      cancel = this.#port.clock.after(ms, resolve)
      this.#goOn = resolve
    })
    await Promise.race([passed, this.#whenAsked])
    cancel()
  }
}

type Settled<T> =
  { readonly kind: 'done'; readonly value: T } | { readonly kind: 'failed'; readonly error: MillraceError }

async function settled<T>(start: () => Promise<T>): Promise<Settled<T>> {
  try {
    return { kind: 'done', value: await start() }
  } catch (error) {
    return { kind: 'failed', error: asKnown(error) }
  }
}

function asKnown(error: unknown): MillraceError {
  return isFault(error) ? error : fault('INTERNAL', messageOf(error), { cause: error })
}
