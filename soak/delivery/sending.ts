// The errands that the soak publishes: most can be done, some at a later attempt, some never, and some end their process.
import type { Connection } from '../../src/broker/connection.ts'
import type { StreamDeclaration } from '../../src/broker/define-stream.ts'
import { Publisher } from '../../src/broker/publisher.ts'
import { completeDraft } from '../../src/event/complete.ts'
import { encodeEvent } from '../../src/event/encode.ts'
import { messageId } from '../../src/event/identity.ts'
import { publishSubject } from '../../src/event/subject.ts'
import { systemClock } from '../../src/time/system-clock.ts'
import {
  Booked,
  Filed,
  Mailed,
  Noted,
  Packed,
  Queued,
  Risked,
  type Errand,
} from '../delivery-streams/errands/events.ts'
import { FOR_EVER, type Published } from './judge.ts'

/** Longer than any outage of the soak, shorter than the stream remembers message ids. */
const PATIENCE_MS = 90_000
const KEYS = 60
const MOST_BEHIND = 600
const LOOK_MS = 500
const SOURCE = '/soak'

/** Handlers and the events that they have to themselves. */
export const HANDLERS = {
  mail: Mailed,
  risk: Risked,
  book: Booked,
  pack: Packed,
  note: Noted,
  queue: Queued,
  file: Filed,
} as const
type Handler = keyof typeof HANDLERS
const NAMES = Object.keys(HANDLERS) as Handler[]

export interface SendingOptions {
  readonly perSecond: number
  readonly signal: AbortSignal
  /** Errands that end their process: one at each of these times, in ms since it began. */
  readonly killersAt: readonly number[]
  /** Errands that are not handled yet. While there are many it waits: the judge cannot tell a long queue from a stall. */
  readonly behind: () => Promise<number>
}

export class Sending {
  /** What the stream has promised to keep. */
  readonly published: Published[] = []
  readonly #stream: StreamDeclaration
  readonly #publisher: Publisher
  readonly #failures: unknown[] = []
  readonly #counts = new Map<string, number>()

  constructor(connection: Connection, stream: StreamDeclaration) {
    this.#stream = stream
    this.#publisher = new Publisher(connection, { clock: systemClock, patience: PATIENCE_MS })
  }

  /** Publishes until the signal is aborted; resolves when everything is stored. */
  async run({ perSecond, signal, killersAt, behind }: SendingOptions): Promise<void> {
    const began = performance.now()
    let [looked, paused] = [began, 0]
    const killers = [...killersAt]
    await this.#parked()
    for (let sent = 0; !signal.aborted && this.#failures.length === 0;) {
      const burst = Math.random() < 0.05 ? 60 : 5
      for (let at = 0; at < burst; at++, sent++) await this.#errand(oneOf(NAMES), someWay())
      if (performance.now() - began > (killers[0] ?? Number.POSITIVE_INFINITY)) {
        killers.shift()
        await this.#errand('risk', { fails: FOR_EVER, how: 'kill', heals: true })
      }
      if (performance.now() - looked > LOOK_MS) {
        looked = performance.now()
        await this.#drained(behind, signal)
        paused += performance.now() - looked
      }
      const ahead = (sent / perSecond) * 1_000 - (performance.now() - began - paused)
      await new Promise((resolve) => setTimeout(resolve, Math.max(1, ahead)))
    }
    await this.#flush()
  }

  /** An event that fails for ever, with others behind it: by chance alone there may be none that waits in the park. */
  async #parked(): Promise<void> {
    await this.#errand('queue', { fails: FOR_EVER, how: 'refuse', heals: false }, 'parked')
    for (let at = 0; at < 3; at++) await this.#errand('queue', { fails: 0, how: 'throw', heals: false }, 'parked')
  }

  async #drained(behind: SendingOptions['behind'], signal: AbortSignal): Promise<void> {
    // while the server is away nobody knows
    while (!signal.aborted && (await behind().catch(() => 0)) > MOST_BEHIND)
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS))
  }

  /** One for each handler that can be done. @returns which */
  async probe(): Promise<readonly Published[]> {
    const before = this.published.length
    // keys that none of the others has: one may be parked
    for (const handler of NAMES)
      await this.#errand(handler, { fails: 0, how: 'throw', heals: false }, `probe-${before}`)
    await this.#flush()
    return this.published.slice(before)
  }

  close(): void {
    this.#publisher.close()
  }

  async #flush(): Promise<void> {
    await this.#publisher.flush()
    await new Promise((resolve) => setImmediate(resolve))
    if (this.#failures.length > 0) throw this.#failures[0]
  }

  async #errand(
    handler: Handler,
    way: Pick<Errand, 'fails' | 'how' | 'heals'>,
    key = `k${Math.floor(Math.random() * KEYS)}`,
  ): Promise<void> {
    const n = (this.#counts.get(`${handler} ${key}`) ?? 0) + 1
    this.#counts.set(`${handler} ${key}`, n)
    const id = `${handler}-${key}-${n}`
    const data = { n, key, ...way }
    const event = completeDraft(HANDLERS[handler](data), { id, source: SOURCE, time: Date.now() })
    const { headers, data: bytes } = encodeEvent(event)
    const subject = publishSubject(this.#stream.root, event.key, event.type)
    await this.#publisher.ready()
    this.#publisher
      .publish({ subject, headers: [...headers, ['Nats-Msg-Id', messageId(SOURCE, id)]], data: bytes })
      .then(
        () => this.published.push({ id, handler, data }),
        (error: unknown) => this.#failures.push(error),
      )
  }
}

function someWay(): Pick<Errand, 'fails' | 'how' | 'heals'> {
  const chance = Math.random()
  if (chance < 0.8) return { fails: 0, how: 'throw', heals: false }
  if (chance < 0.9) return { fails: 1 + Math.floor(Math.random() * 3), how: 'throw', heals: false }
  if (chance < 0.93) return { fails: 1, how: 'whole', heals: false }
  if (chance < 0.945) return { fails: 1, how: 'hang', heals: false }
  return { fails: FOR_EVER, how: Math.random() < 0.7 ? 'throw' : 'refuse', heals: Math.random() < 0.6 }
}

function oneOf<T>(all: readonly T[]): T {
  return all[Math.floor(Math.random() * all.length)] as T
}
