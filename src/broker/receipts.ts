// Receipts
//
// Sends single messages and waits for what the stream says of each: many at a time over one inbox, with one timer for all. A request
// of the client for each costs several times as much: a promise, a timer and a stack trace.
//
//   writer -> Receipts:   store(message)
//   Receipts -> server:   what was asked for in one turn of the event loop, as one piece
//   server -> Receipts:   a receipt for each; or 503, when no stream takes it
import type { WireMessage } from '../event/wire.js'
import { fault, type MillraceError } from '../error/millrace-error.js'
import type { Clock } from '../time/clock.js'
import { systemClock } from '../time/system-clock.js'
import type { Connection, ConnectionStatus } from './connection.js'
import { subscribeDeliveries } from './deliveries.js'
import type { Delivery } from './delivery-parser.js'
import { commandsOf, encodeMessage, publishCommands, type EncodedMessage } from './frames.js'
import { handOversOf } from './hand-over.js'
import { readAck, type PublishAck } from './publish-ack.js'
import { isNoResponders } from './server-status.js'

interface Open {
  readonly subject: string
  /** By the monotonic clock: when it is not waited for any more. */
  readonly until: number
  readonly resolve: (ack: PublishAck) => void
  readonly reject: (error: MillraceError) => void
}

/** How often it is looked for what is late, in ms. */
const LOOK_MS = 250

export class Receipts {
  readonly #connection: Connection
  readonly #clock: Clock
  readonly #inbox: string
  readonly #open = new Map<number, Open>()
  #commands: EncodedMessage[] = []
  #next = 0
  /** Why no receipt can arrive. */
  #denied: MillraceError | undefined
  #stopLooking: (() => void) | undefined

  constructor(connection: Connection, clock: Clock) {
    this.#connection = connection
    this.#clock = clock
    this.#inbox = connection.newInbox()
    subscribeDeliveries(connection.nats, `${this.#inbox}.*`, (delivery) => this.#onReceipt(delivery))
    connection.onStatus((status) => this.#onStatus(status))
  }

  /** Sends a message once. @throws as publishOnce */
  store(message: WireMessage, timeoutMs: number): Promise<PublishAck> {
    return new Promise((resolve, reject) => {
      const { state, nats, server } = this.#connection
      if (this.#denied !== undefined) return reject(this.#denied)
      if (state.kind !== 'connected' || nats.info === undefined)
        return reject(fault('BROKER_UNREACHABLE', `there is no connection for ${message.subject}`))
      const token = this.#next++
      const encoded = encodeMessage(message, '', server.maxPayload, `${this.#inbox}.${token}`)
      const until = this.#clock.monotonic() + timeoutMs
      this.#open.set(token, { subject: message.subject, until, resolve, reject })
      this.#stopLooking ??= this.#clock.every(LOOK_MS, () => this.#look())
      this.#commands.push(encoded)
      if (this.#commands.length === 1) handOversOf(this.#connection, this.#clock).add(() => this.#send())
    })
  }

  #send(): void {
    const commands = this.#commands
    this.#commands = []
    const { nats } = this.#connection
    // between two links the client keeps what it is given, and would send what is given up here
    const send = nats.info === undefined ? undefined : commandsOf(nats)
    if (send !== undefined) return send(publishCommands(commands))
    const replies = new Set(commands.map(({ reply }) => reply))
    this.#giveUp((_, token) => replies.has(`${this.#inbox}.${token}`), lost)
  }

  #onReceipt(delivery: Delivery): void {
    const { frame, subject, subjectEnd, data, end } = delivery
    const token = Number(frame.toString('latin1', subject + this.#inbox.length + 1, subjectEnd))
    const open = this.#open.get(token)
    if (open === undefined) return // it was given up
    this.#open.delete(token)
    if (isNoResponders(delivery)) return open.reject(fault('NO_STREAM_FOR_SUBJECT', open.subject))
    const reply = readAck(frame.subarray(data, end))
    if (reply.kind === 'stored') open.resolve(reply.ack)
    else if (reply.kind === 'refused') open.reject(reply.error)
    else open.reject(fault('BROKER_REFUSED', `something that is not a stream answered on ${open.subject}`))
  }

  #onStatus(status: ConnectionStatus): void {
    if (status.kind === 'connected') this.#denied = undefined
    else if (status.kind !== 'denied') this.#giveUp(() => true, lost)
    else if (status.operation === 'publish')
      this.#giveUp(({ subject }) => subject === status.subject, denied('publishing to'))
    else if (status.subject === `${this.#inbox}.*`) {
      this.#denied = denied('subscribing to')(status)
      this.#giveUp(() => true, denied('receipts for'))
    }
  }

  #look(): void {
    const now = this.#clock.monotonic()
    this.#giveUp(
      ({ until }) => now >= until,
      ({ subject }) => fault('BROKER_TIMEOUT', `no receipt for ${subject}`),
    )
    if (this.#open.size > 0) return
    this.#stopLooking?.()
    this.#stopLooking = undefined
  }

  #giveUp(which: (open: Open, token: number) => boolean, why: (open: Open) => MillraceError): void {
    for (const [token, open] of this.#open)
      if (which(open, token)) {
        this.#open.delete(token)
        open.reject(why(open))
      }
  }
}

function lost({ subject }: { readonly subject: string }): MillraceError {
  return fault('BROKER_UNREACHABLE', `the connection was lost, with the receipt for ${subject}`)
}

function denied(doing: string): (of: { readonly subject: string }) => MillraceError {
  return ({ subject }) => fault('BROKER_PERMISSION_DENIED', `${doing} ${subject}`)
}

const receipts = new WeakMap<Connection['nats'], Receipts>()

/** Those of everybody who stores over this connection; undefined: its client has no entrance for them. */
export function receiptsOf(connection: Connection): Receipts | undefined {
  const { nats } = connection
  if (commandsOf(nats) === undefined) return undefined
  let known = receipts.get(nats)
  if (known === undefined) receipts.set(nats, (known = new Receipts(connection, systemClock)))
  return known
}
