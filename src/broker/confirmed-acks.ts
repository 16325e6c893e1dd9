// ConfirmedAcks
//
// Acknowledges messages of work queues, and knows that the server has heard it: what is lost with a link is said again.
//
//   taker -> ConfirmedAcks:   ack(reply), handBack(replies), renew(replies)
//   ConfirmedAcks -> server:  what was said in one turn of the event loop, as one piece
//   server -> ConfirmedAcks:  an empty message for each ack; a consumer that is gone answers with 503
//
// Invariants (tests cite them):
//   DL1  An acknowledgement counts when the server has confirmed it; until then it is repeated, also after a reconnect.
import type { NatsConnection } from '@nats-io/transport-node'
import type { Clock } from '../time/clock.js'
import type { Connection } from './connection.js'
import { subscribeDeliveries } from './deliveries.js'
import type { Delivery } from './delivery-parser.js'
import { handOversOf } from './hand-over.js'

/** The client’s protocol handler, which its public interface does not show. */
interface Protocol {
  sendCommand?(command: Uint8Array): void
}

interface Said {
  readonly reply: string
  saidAt: number
  readonly since: number
}

/** After how long without an answer it is said again, and after how long never again, in ms. */
const AGAIN_MS = 2_000
const GIVE_UP_MS = 60_000

export class ConfirmedAcks {
  readonly #connection: Connection
  readonly #clock: Clock
  readonly #inbox: string
  readonly #said = new Map<number, Said>()
  readonly #stops: (() => void)[]
  #commands: string[] = []
  #waiting: (() => void)[] = []
  #scheduled = false
  #next = 0
  #confirmed = 0

  constructor(connection: Connection, clock: Clock) {
    this.#connection = connection
    this.#clock = clock
    this.#inbox = connection.newInbox()
    this.#stops = [
      subscribeDeliveries(connection.nats, `${this.#inbox}.*`, (delivery) => this.#onAnswer(delivery)),
      connection.onStatus(({ kind }) => (kind === 'connected' ? this.#repeat(0) : undefined)),
      clock.every(AGAIN_MS / 2, () => this.#repeat(AGAIN_MS)),
    ]
  }

  /** Acknowledgements that the server has not confirmed. */
  get open(): number {
    return this.#said.size
  }

  /** Those that it has. */
  get confirmed(): number {
    return this.#confirmed
  }

  /** The message is done (DL1). @param reply where its acknowledgement goes */
  ack(reply: string): void {
    const now = this.#clock.monotonic()
    const token = this.#next++
    this.#said.set(token, { reply, saidAt: now, since: now })
    this.#say(`PUB ${reply} ${this.#inbox}.${token} 4\r\n+ACK\r\n`)
  }

  /** The messages are free to be delivered again, at once and in this order. Lost ones are so by themselves, later. */
  handBack(replies: readonly string[]): void {
    for (const reply of replies) this.#say(`PUB ${reply} 4\r\n-NAK\r\n`)
  }

  /** The messages are being worked on: their time begins again. @returns whether it was said */
  renew(replies: readonly string[]): boolean {
    if (!this.#connected) return false
    for (const reply of replies) this.#say(`PUB ${reply} 4\r\n+WPI\r\n`)
    this.#flush()
    return true
  }

  /** Resolves when everything that was said is confirmed, or cannot be: nobody would answer any more. */
  async settled(limitMs: number): Promise<void> {
    const until = this.#clock.monotonic() + limitMs
    const stop = this.#clock.every(50, () => (this.#clock.monotonic() > until ? this.#wake() : undefined))
    this.#flush()
    while (this.#said.size > 0 && this.#clock.monotonic() <= until)
      await new Promise<void>((resolve) => this.#waiting.push(resolve))
    stop()
  }

  /** Nothing is said or heard any more. */
  close(): void {
    this.#flush()
    for (const stop of this.#stops) stop()
    this.#said.clear()
    this.#wake()
  }

  get #connected(): boolean {
    return this.#connection.state.kind === 'connected' && !this.#connection.nats.isDraining()
  }

  #say(command: string): void {
    this.#commands.push(command)
    if (this.#scheduled) return
    this.#scheduled = true
    handOversOf(this.#connection, this.#clock).add(() => this.#flush())
  }

  #flush(): void {
    this.#scheduled = false
    const commands = this.#commands
    this.#commands = []
    // without a link nothing is written: what needs an answer is said again when there is one
    if (commands.length > 0 && this.#connected) write(this.#connection.nats, commands)
  }

  #onAnswer({ frame, subject, subjectEnd }: Delivery): void {
    let token = 0
    let unit = 1
    for (let at = subjectEnd - 1; at >= subject; at--) {
      const digit = (frame[at] ?? 0) - 0x30
      if (digit < 0 || digit > 9) break
      token += digit * unit
      unit *= 10
    }
    // 503, a consumer that is gone, is an answer too: the one that is made in its place delivers the message again
    if (!this.#said.delete(token)) return
    this.#confirmed += 1
    if (this.#said.size === 0) this.#wake()
  }

  #repeat(silentForMs: number): void {
    if (!this.#connected) return
    const now = this.#clock.monotonic()
    // what is said again goes behind those that are looked at here
    const all = Array.from(this.#said)
    for (const [token, said] of all) {
      if (now - said.saidAt < silentForMs) break // they are in the order in which they were said
      this.#said.delete(token)
      if (now - said.since > GIVE_UP_MS) continue // the message is delivered again, long since
      said.saidAt = now
      this.#said.set(token, said)
      this.#say(`PUB ${said.reply} ${this.#inbox}.${token} 4\r\n+ACK\r\n`)
    }
    if (this.#said.size === 0) this.#wake()
  }

  #wake(): void {
    for (const wake of this.#waiting.splice(0)) wake()
  }
}

function write(nats: NatsConnection, commands: readonly string[]): void {
  const { protocol } = nats as NatsConnection & { protocol?: Protocol }
  if (typeof protocol?.sendCommand === 'function') return protocol.sendCommand(Buffer.from(commands.join('')))
  for (const command of commands) {
    const [head = '', text = ''] = command.split('\r\n')
    const [, subject = '', reply] = head.split(' ')
    nats.publish(subject, text, head.split(' ').length > 3 && reply !== undefined ? { reply } : {})
  }
}
