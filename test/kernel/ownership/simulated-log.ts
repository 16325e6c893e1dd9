// The log of a group without a server: the last word on each subject, conditional writes, expiry, and links that are slow,
// cut, or frozen together with the process behind them. Everything happens by a clock and a seed.
import { ownershipSubject } from '../../../src/broker/ownership-stream.ts'
import { fault } from '../../../src/error/millrace-error.ts'
import type { GroupListener, GroupLog } from '../../../src/kernel/ownership/group-log.ts'
import type { LogEntry } from '../../../src/kernel/ownership/group-view.ts'
import type { Clock } from '../../../src/time/clock.ts'
import type { VirtualClock } from './virtual-clock.ts'

export type Chance = () => number

/** Numbers from 0 to 1 that follow from a seed. */
export function chanceFrom(seed: number): Chance {
  let state = seed >>> 0
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
}

export class SimulatedStream {
  readonly #clock: VirtualClock
  readonly #last = new Map<string, LogEntry & { readonly expiresAt: number }>()
  readonly links = new Set<SimulatedLink>()
  #sequence = 0
  /** Grows when the stream is made anew. */
  epoch = 0
  #away = false

  /** How many of the answers are lost, from 0 to 1. */
  readonly lostAnswers: number

  constructor(clock: VirtualClock, lostAnswers: number) {
    this.#clock = clock
    this.lostAnswers = lostAnswers
  }

  get away(): boolean {
    return this.#away
  }

  /** The server is away: nobody has a connection. */
  leave(): void {
    this.#away = true
    for (const link of this.links) link.cut()
  }

  /** The server is back; each process finds out a little later. */
  comeBack(): void {
    this.#away = false
    for (const link of this.links) link.restoreSoon()
  }

  store(subject: string, data: Uint8Array, expected: number | undefined, expires: number | undefined): number {
    const last = this.read(subject)?.sequence ?? 0
    if (expected !== undefined && expected !== last) throw fault('SEQUENCE_CONFLICT', `${subject}: ${last}`)
    const now = this.#clock.now()
    const expiresAt = expires === undefined ? Infinity : now + expires * 1_000
    const entry = { subject, data, sequence: (this.#sequence += 1), storedAt: now, expiresAt }
    this.#last.set(subject, entry)
    for (const link of this.links) link.deliver(entry)
    return entry.sequence
  }

  read(subject: string): LogEntry | undefined {
    const last = this.#last.get(subject)
    return last === undefined || last.expiresAt <= this.#clock.now() ? undefined : last
  }

  after(sequence: number): LogEntry[] {
    return [...this.#last.values()]
      .filter((entry) => entry.sequence > sequence && entry.expiresAt > this.#clock.now())
      .sort((one, other) => one.sequence - other.sequence)
  }

  /** Deletes the stream and makes it anew, empty. */
  lose(): void {
    this.#last.clear()
    this.#sequence = 0
    this.epoch += 1
    for (const link of this.links) link.hearOfLoss()
  }
}

/** One process’s way to the stream, and its clock: frozen, neither moves. */
export class SimulatedLink implements GroupLog {
  readonly #stream: SimulatedStream
  readonly #clock: VirtualClock
  readonly #chance: Chance
  readonly #slowness: number
  #state: 'connected' | 'cut' | 'dead' = 'connected'
  #frozen = false
  #held: (() => void)[] = []
  #listener: GroupListener | undefined
  #delivered = 0
  #epoch: number
  /** Grows with each interruption: what was on its way then does not arrive. */
  #session = 0
  /** Deliveries, writes and answers keep their order, as on a connection. */
  #lastArrival = { there: 0, back: 0 }

  constructor(stream: SimulatedStream, clock: VirtualClock, chance: Chance, slowness: number) {
    this.#stream = stream
    this.#clock = clock
    this.#chance = chance
    this.#slowness = slowness
    this.#epoch = stream.epoch
    stream.links.add(this)
  }

  /** The clock as the process sees it: while frozen its timers wait. */
  get clock(): Clock {
    const clock = this.#clock
    return {
      now: () => clock.now(),
      monotonic: () => clock.monotonic(),
      sleep: (ms) => new Promise((resolve) => clock.after(ms, () => this.#inProcess(resolve))),
      after: (ms, fn) => {
        let cancelled = false
        const cancel = clock.after(ms, () => this.#inProcess(() => (cancelled ? undefined : fn())))
        return () => {
          cancelled = true
          cancel()
        }
      },
      every: (ms, fn) => {
        let waiting = false // as the timers of Node: one that could not run does not run twice
        return clock.every(ms, () => {
          if (waiting) return
          waiting = true
          this.#inProcess(() => {
            waiting = false
            fn()
          })
        })
      },
    }
  }

  write: GroupLog['write'] = (kind, name, message, { expected, expires } = {}) => {
    const subject = ownershipSubject('g', kind, name)
    const data = Buffer.from(JSON.stringify(message))
    return new Promise((resolve, reject) => {
      const fail = (code: 'BROKER_UNREACHABLE' | 'BROKER_TIMEOUT'): void =>
        this.#inProcess(() => reject(fault(code, subject)))
      if (!this.connected) return fail('BROKER_UNREACHABLE')
      const session = this.#session
      const inSession = (fn: () => void) => () => (this.#session === session ? fn() : fail('BROKER_UNREACHABLE'))
      this.#travel(
        'there',
        inSession(() => {
          let answer: () => void
          try {
            const sequence = this.#stream.store(subject, data, expected, expires)
            answer = () => resolve(sequence)
          } catch (error) {
            answer = () => reject(error as Error)
          }
          // an answer that is lost: what was asked has been done all the same
          if (this.#chance() < this.#stream.lostAnswers) this.#clock.after(2_000, () => fail('BROKER_TIMEOUT'))
          else
            this.#travel(
              'back',
              inSession(() => this.#inProcess(answer)),
            )
        }),
      )
    })
  }

  last: GroupLog['last'] = (kind, name) =>
    new Promise((resolve, reject) => {
      if (!this.connected) return this.#inProcess(() => reject(fault('BROKER_UNREACHABLE', name)))
      this.#travel('there', () => {
        const entry = this.#stream.read(ownershipSubject('g', kind, name))
        this.#travel('back', () => this.#inProcess(() => resolve(entry)))
      })
    })

  follow: GroupLog['follow'] = (listener) => {
    this.#listener = listener
    this.#session += 1
    this.#delivered = 0
    this.#catchUp()
    return () => (this.#listener = undefined)
  }

  get connected(): boolean {
    return this.#state === 'connected'
  }

  deliver(entry: LogEntry): void {
    const session = this.#session
    if (!this.connected || this.#listener === undefined || this.#epoch !== this.#stream.epoch) return
    this.#travel('back', () => {
      if (this.#session !== session || entry.sequence <= this.#delivered) return
      this.#delivered = entry.sequence
      this.#inProcess(() => this.#listener?.onEntries([entry]))
    })
  }

  hearOfLoss(): void {
    this.#clock.after(200 * this.#chance(), () => (this.connected ? this.#catchUp() : undefined))
  }

  freeze(): void {
    this.#frozen = true
  }

  thaw(): void {
    this.#frozen = false
    for (const fn of this.#held.splice(0)) this.#inProcess(fn)
  }

  cut(): void {
    if (this.#state === 'dead') return
    this.#state = 'cut'
    this.#session += 1
  }

  restoreSoon(): void {
    this.#clock.after(1_500 * this.#chance(), () => this.restore())
  }

  restore(): void {
    if (this.#state === 'dead' || this.#stream.away) return
    this.#state = 'connected'
    this.#inProcess(() => this.#listener?.onConnected())
    this.#catchUp()
  }

  kill(): void {
    this.#state = 'dead'
    this.#held = []
    this.#stream.links.delete(this)
  }

  #catchUp(): void {
    const { epoch } = this.#stream
    if (this.#epoch !== epoch) {
      this.#epoch = epoch
      this.#session += 1
      this.#delivered = 0
      this.#inProcess(() => this.#listener?.onReset())
    }
    for (const entry of this.#stream.after(this.#delivered)) this.deliver(entry)
  }

  #travel(way: 'there' | 'back', fn: () => void): void {
    const arrival = Math.max(
      this.#lastArrival[way],
      this.#clock.now() + Math.ceil(this.#slowness * this.#chance() ** 3),
    )
    this.#lastArrival[way] = arrival
    this.#clock.after(arrival - this.#clock.now(), fn)
  }

  #inProcess(fn: () => void): void {
    if (this.#state === 'dead') return
    if (this.#frozen) this.#held.push(fn)
    else fn()
  }
}
