// The commands that the soak of actors sends: many accounts, bursts, pauses, and some of them twice, beyond what the
// stream itself would tell apart.
import type { Connection } from '../../src/broker/connection.ts'
import type { StreamDeclaration } from '../../src/broker/define-stream.ts'
import { Publisher } from '../../src/broker/publisher.ts'
import { completeDraft } from '../../src/event/complete.ts'
import { encodeEvent } from '../../src/event/encode.ts'
import { publishSubject } from '../../src/event/subject.ts'
import { systemClock } from '../../src/time/system-clock.ts'
import { Add } from '../actor-streams/ledger/actors/account.ts'

/** Longer than any outage of the soak, shorter than the stream remembers message ids. */
const PATIENCE_MS = 90_000
/** One command in so many comes a second time, under another message id. */
const TWICE = 25

export interface CommandingOptions {
  readonly accounts: number
  /** Stops after so many, or when the signal is aborted. */
  readonly most: number
  readonly perSecond: number
  readonly signal: AbortSignal
}

export interface Commanding {
  /** Ids of commands whose publish was acknowledged, in order. */
  readonly acknowledged: string[]
  readonly done: Promise<void>
}

export function sendCommands(
  connection: Connection,
  stream: StreamDeclaration,
  options: CommandingOptions,
): Commanding {
  const acknowledged: string[] = []
  return { acknowledged, done: new Sender(connection, stream, acknowledged).send(options) }
}

class Sender {
  readonly #stream: StreamDeclaration
  readonly #publisher: Publisher
  readonly #acknowledged: string[]
  readonly #failures: unknown[] = []
  readonly #counts = new Map<string, number>()

  constructor(connection: Connection, stream: StreamDeclaration, acknowledged: string[]) {
    this.#stream = stream
    this.#publisher = new Publisher(connection, { clock: systemClock, patience: PATIENCE_MS })
    this.#acknowledged = acknowledged
  }

  async send({ accounts, most, perSecond, signal }: CommandingOptions): Promise<void> {
    const began = performance.now()
    for (let sent = 0; sent < most && !signal.aborted && this.#failures.length === 0;) {
      const burst = Math.random() < 0.05 ? 200 : 10
      for (let at = 0; at < burst && sent < most; at++, sent++) await this.#one(accounts, sent % TWICE === 0)
      const ahead = (sent / perSecond) * 1_000 - (performance.now() - began)
      await new Promise((resolve) => setTimeout(resolve, Math.max(1, ahead)))
    }
    await this.#publisher.flush()
    this.#publisher.close()
    if (this.#failures.length > 0) throw this.#failures[0]
  }

  async #one(accounts: number, twice: boolean): Promise<void> {
    const account = `a${Math.floor(Math.random() * accounts)}`
    const n = (this.#counts.get(account) ?? 0) + 1
    this.#counts.set(account, n)
    const id = `${account}-${n}`
    const draft = Add({ account, n, amount: n % 7 }, { id })
    await this.#publish(id, draft, id)
    if (twice) await this.#publish(id, draft, `${id}-again`)
  }

  async #publish(id: string, draft: ReturnType<typeof Add>, messageId: string): Promise<void> {
    const event = completeDraft(draft, { id, source: '/soak', time: Date.now() })
    const { headers, data } = encodeEvent(event)
    const subject = publishSubject(this.#stream.root, event.key, event.type)
    await this.#publisher.ready()
    this.#publisher.publish({ subject, headers: [...headers, ['Nats-Msg-Id', messageId]], data }).then(
      () => this.#acknowledged.push(id),
      (error: unknown) => this.#failures.push(error),
    )
  }
}
