import type { Msg, NatsConnection, Subscription } from '@nats-io/transport-node'
import { DeliveryParser, type Delivery, type ProtocolParser, type Taker } from './delivery-parser.js'
import { headerText } from './headers.js'

/** The client's own handler of the protocol, which its interface does not show: it makes a parser for each link. */
interface Protocol {
  parser: ProtocolParser & { readonly state: unknown }
}

const takersOf = new WeakMap<NatsConnection, Map<number, Taker>>()

/**
 * Lets subscriptions of a connection take their messages as they come from the socket, on this link and on each that
 * follows it. To be called once, when it is made. A client that is built otherwise goes on as it is, only slower.
 */
export function prepareDeliveries(nats: NatsConnection): void {
  const { protocol } = nats as unknown as { protocol?: Partial<Protocol> }
  const parser = protocol?.parser
  if (protocol === undefined || typeof parser?.parse !== 'function' || typeof parser.state !== 'number') return
  const takers = new Map<number, Taker>()
  let current: ProtocolParser = afterWhatHasBegun(parser, takers)
  Object.defineProperty(protocol, 'parser', {
    configurable: true,
    enumerable: true,
    get: () => current,
    set: (made: ProtocolParser) => {
      current = new DeliveryParser(made, takers)
    },
  })
  takersOf.set(nats, takers)
}

/** The client's parser may be in the middle of something: until it is not, everything is its own. */
function afterWhatHasBegun(parser: Protocol['parser'], takers: Map<number, Taker>): ProtocolParser {
  const deliveries = new DeliveryParser(parser, takers)
  let begun = parser.state !== START
  return {
    parse: (frame) => {
      if (!begun) return deliveries.parse(frame)
      parser.parse(frame)
      begun = parser.state !== START
    },
  }
}

/** The client's state between two operations. */
const START = 0

/** A subscription whose messages are taken as they come from the socket. */
export interface Deliveries {
  /** Ends it at once; what is on its way is not taken any more. */
  end(): void
  /** Ends it, and resolves when what was on its way has been taken. Never rejects. */
  drain(): Promise<void>
}

/**
 * Subscribes, and takes each message without the client making an object of it.
 * @returns how to end it
 */
export function subscribeDeliveries(nats: NatsConnection, subject: string, taker: Taker): () => void {
  return openDeliveries(nats, subject, taker).end
}

/** As subscribeDeliveries, for who wants what is on its way when it ends. */
export function openDeliveries(nats: NatsConnection, subject: string, taker: Taker): Deliveries {
  const subscription: Subscription = nats.subscribe(subject, {
    // a denied subscription is heard of as a status
    callback: (error, message) => (error === null ? taker(deliveryOf(message)) : undefined),
  })
  const takers = takersOf.get(nats)
  const id = subscription.getID()
  takers?.set(id, taker)
  return {
    end: () => {
      takers?.delete(id)
      subscription.unsubscribe()
    },
    drain: async () => {
      // a link that breaks meanwhile has taken along whatever was on its way
      await subscription.drain().catch(() => subscription.unsubscribe())
      takers?.delete(id)
    },
  }
}

/** A message that the client has read, put together again. */
export function deliveryOf(message: Msg): Delivery {
  const parts = [message.subject, message.reply ?? '', headerText(message), message.data].map((part) =>
    Buffer.from(part),
  )
  const ends = parts.map((_, at) => parts.slice(0, at + 1).reduce((sum, { length }) => sum + length, 0))
  const [subjectEnd = 0, reply = 0, data = 0, end = 0] = ends
  return {
    frame: Buffer.concat(parts),
    subject: 0,
    subjectEnd,
    reply: subjectEnd,
    replyEnd: reply,
    headers: reply,
    data,
    end,
  }
}
