import { messageOf, type MillraceError } from '../../error/millrace-error.js'
import type { Log } from '../../observe/log.js'
import type { Clock } from '../../time/clock.js'
import type { Unit } from './assign.js'
import type { GroupLog } from './group-log.js'
import type { MemberState, Offer } from './messages.js'

/** What a member can run, and what it will not run again. */
export interface Offered {
  readonly units: readonly Unit[]
  readonly refused: ReadonlyMap<string, MillraceError>
}

export interface VoiceOptions {
  readonly member: string
  readonly groupLog: GroupLog
  readonly clock: Clock
  readonly log: Log
  readonly leaseMs: number
  /** What is offered now. */
  readonly offer: () => Offered
}

/** Heartbeats in a lease: four are lost before a member is taken for dead. */
const BEATS = 30 / 7
/** A member that was stopped for longer than a lease stays without units for so many heartbeats. */
const WAKING_BEATS = 3
const OFFER_LEASES = 20

/** Says of one member that it lives, in what state, and what it can run. */
export class MemberVoice {
  readonly #options: VoiceOptions
  readonly #beatMs: number
  #leaving: 'leaving' | 'gone' | undefined
  #wakingUntil = -Infinity
  #beatAt: number
  #offeredAt = -Infinity
  #stop: () => void = () => undefined
  /** Ends the answers to those who ask for the member; undefined: nobody would hear them. */
  #answering: (() => void) | undefined

  constructor(options: VoiceOptions) {
    this.#options = options
    this.#beatMs = Math.round(options.leaseMs / BEATS)
    this.#beatAt = options.clock.monotonic()
  }

  get state(): MemberState {
    if (this.#leaving !== undefined) return this.#leaving
    return this.#options.clock.monotonic() < this.#wakingUntil ? 'waking' : 'running'
  }

  /** Says it for the first time, and from then on with each heartbeat. @throws errors of the broker */
  async start(): Promise<void> {
    const { clock, groupLog, member } = this.#options
    this.#answering = await groupLog.answer?.(member)
    await this.#say()
    this.#beatAt = clock.monotonic()
    if (this.#leaving === undefined) this.#stop = clock.every(this.#beatMs, () => this.#beat())
  }

  /**
   * Says it now; what cannot be said is said with the next heartbeat. It does not wait for the answer to the one before:
   * on one connection they keep their order, and an answer that is lost must not hold up the next.
   */
  speak(): void {
    void this.#trySay()
  }

  /** What is offered has changed, or is not known to the others any more. */
  offerAgain(): void {
    this.#offeredAt = -Infinity
    this.speak()
  }

  /** Says that the member leaves; goes on saying so until it is `gone`. Never rejects. */
  leave(state: 'leaving' | 'gone'): Promise<void> {
    this.#leaving = state
    return this.#trySay()
  }

  stop(): void {
    this.#leaving = 'gone'
    this.#stop()
    this.#answering?.()
    this.#answering = undefined
  }

  #beat(): void {
    const { clock, leaseMs } = this.#options
    const now = clock.monotonic()
    if (now - this.#beatAt > leaseMs) {
      // this process was stopped, or too busy, for longer than a lease: one that is so again and again gets nothing
      this.#wakingUntil = now + WAKING_BEATS * this.#beatMs
      this.#offeredAt = -Infinity
    }
    this.#beatAt = now
    this.speak()
  }

  async #trySay(): Promise<void> {
    try {
      await this.#say()
    } catch (error) {
      this.#options.log.debug({ error: messageOf(error) }, 'heartbeat not stored')
    }
  }

  async #say(): Promise<void> {
    const { member, groupLog, clock, leaseMs, offer } = this.#options
    const now = clock.monotonic()
    const lastsMs = OFFER_LEASES * leaseMs
    if (now - this.#offeredAt > lastsMs / 3 && this.#leaving === undefined) {
      this.#offeredAt = now
      try {
        await groupLog.write('offer', member, encodeOffer(offer()), { expires: seconds(lastsMs) })
      } catch (error) {
        this.#offeredAt = -Infinity
        throw error
      }
    }
    const { state } = this
    const answers = this.#answering !== undefined
    await groupLog.write('member', member, { state, answers }, { expires: state === 'gone' ? 1 : seconds(leaseMs) + 2 })
  }
}

function seconds(ms: number): number {
  return Math.ceil(ms / 1_000)
}

function encodeOffer({ units, refused }: Offered): Offer {
  const byProcessor: Record<string, string[]> = {}
  for (const { id, processor } of units) (byProcessor[processor] ??= []).push(id)
  return {
    units: byProcessor,
    refused: Object.fromEntries([...refused].map(([unit, { code }]) => [unit, code])),
  }
}
