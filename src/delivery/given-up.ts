// GivenUp
//
// Messages of a handler that the server itself gave up on: delivered too often, or terminated by a client. It says so once,
// to whoever listens; a stream keeps that, and each becomes a dead letter.
//
//   HandlerSource -> GivenUp:   what the server said, by a durable consumer that all processes share
//   GivenUp -> Fates:           its dead letter
//
// Invariants (tests cite them):
//   DL12  A message of a handler that the server gave up on is a dead letter, once, whoever ran when that was so.
import { ConfirmedAcks } from '../broker/confirmed-acks.js'
import { readMessage } from '../broker/read-message.js'
import type { StoredMessage } from '../broker/stored-message.js'
import type { WorkConsumer } from '../broker/work-consumer.js'
import { ADVISORY_STREAM, advisorySubjects } from '../broker/system-subject.js'
import { asFault } from '../broker/api-error.js'
import { fault, messageOf, type MillraceError } from '../error/millrace-error.js'
import { FIRST_ATTEMPT } from './attempt-headers.js'
import type { Fates } from './fates.js'
import { handlerConsumer } from './handler-consumers.js'
import type { HandlerDeclaration } from './handler-options.js'
import type { HandlerRunOptions } from './handler-run-options.js'
import { HandlerSource } from './handler-source.js'
import { lostMessage } from './lost-message.js'
import { openDue, openPublished } from './open-message.js'
import { Suspects } from './suspects.js'
import type { WorkItem } from './work-item.js'

export interface GivenUpOptions extends Pick<
  HandlerRunOptions,
  'connection' | 'declaration' | 'registry' | 'stream' | 'work' | 'clock' | 'log'
> {
  readonly fates: Fates
  readonly onFailure: (error: MillraceError) => void
}

/** What the server says of one message. */
interface Advisory {
  readonly type?: string
  readonly stream?: string
  readonly stream_seq?: number
  readonly deliveries?: number
  readonly reason?: string
}

const ACK_WAIT_MS = 30_000
const PAUSE_MS = 500
/** Few come, and one after the other will do. */
const AT_ONCE = 16

export class GivenUp {
  readonly #options: GivenUpOptions
  readonly #acks: ConfirmedAcks
  readonly #source: HandlerSource
  readonly #suspects: Suspects
  #work: Promise<void> = Promise.resolve()
  #stopped = false

  constructor(options: GivenUpOptions) {
    const { connection, clock, log, declaration, stream, work, onFailure } = options
    this.#options = options
    this.#acks = new ConfirmedAcks(connection, clock)
    this.#suspects = new Suspects(connection, work.name, declaration.name)
    this.#source = new HandlerSource({
      connection,
      clock,
      log,
      consumer: consumerOf(declaration, stream.name, work.name),
      from: 'first',
      onMessages: (messages) => {
        for (const message of messages) this.#work = this.#work.then(() => this.#take(message))
      },
      onFailure,
    })
  }

  /** @throws STREAM_NOT_FOUND and others of the broker */
  async start(): Promise<void> {
    await this.#source.start()
    this.#source.grant(AT_ONCE)
  }

  stop(): void {
    this.#stopped = true
    this.#source.stop()
    this.#acks.close()
  }

  /** Never rejects. */
  async #take(message: StoredMessage): Promise<void> {
    const { clock, log, declaration } = this.#options
    while (!this.#stopped)
      try {
        const advisory = readAdvisory(message)
        if (advisory === undefined)
          log.warn(
            { handler: declaration.name, sequence: message.sequence },
            'an advisory cannot be read: it is left out',
          )
        if (advisory === undefined || (await this.#bury(advisory))) this.#acks.ack(message.reply)
        this.#source.release(1)
        return
      } catch (error) {
        log.warn({ handler: declaration.name, detail: messageOf(error) }, 'what the server gave up on waits')
        await clock.sleep(PAUSE_MS)
      }
  }

  /** @returns false: it is not stored, and whoever runs next does it. @throws errors of the broker */
  async #bury({ type = '', stream, stream_seq: sequence, deliveries = 0, reason }: Advisory): Promise<boolean> {
    const { connection, fates, work, stream: own } = this.#options
    if (sequence === undefined || (stream !== own.name && stream !== work.name)) return true
    const error = type.endsWith('terminated')
      ? fault('DELIVERY_TERMINATED', reason ?? `after ${deliveries} deliveries`)
      : fault('DELIVERIES_EXHAUSTED', `${deliveries} deliveries`)
    const message = await readMessage(connection, stream, sequence)
    const items = message === undefined ? [lostItem(stream, sequence)] : this.#itemsOf(stream, { ...message, ...NONE })
    for (const item of items) {
      if (message !== undefined && (await this.#suspects.hasFate(item))) continue
      const gone = message === undefined ? fault(error.code, `${error.detail}; the message is gone`) : error
      const { kind } = await fates.dead(item, gone, false)
      if (kind !== 'dead') return false
    }
    if (stream === work.name && message !== undefined) await this.#remove(sequence)
    return true
  }

  #itemsOf(stream: string, message: StoredMessage): readonly WorkItem[] {
    const { declaration, registry, work, clock } = this.#options
    const options = { declaration, registry, stream, now: clock.monotonic() }
    const held = heldOf(message)
    const { items, broken } = stream === work.name ? openDue(options, held) : openPublished(options, held)
    return [...items, ...broken.map(({ item }) => item)]
  }

  /** A queue keeps what nobody has acknowledged. Who has no right to remove it leaves it there: it is delivered no more. */
  async #remove(sequence: number): Promise<void> {
    const { connection, work, log } = this.#options
    try {
      await connection.manager.streams.deleteMessage(work.name, sequence, false)
    } catch (thrown) {
      const { code } = asFault(thrown, `removing ${work.name} ${sequence}`)
      log.debug({ code, stream: work.name, sequence }, 'what the server gave up on stays in its queue')
    }
  }
}

/** Undefined: it is none of the server's. Anybody may publish what looks like one. */
function readAdvisory({ data }: StoredMessage): Advisory | undefined {
  try {
    const advisory = JSON.parse(Buffer.from(data).toString()) as Advisory
    const { type = '', stream_seq: sequence = 1 } = advisory
    return typeof type === 'string' && Number.isSafeInteger(sequence) && sequence >= 1 ? advisory : undefined
  } catch {
    return undefined
  }
}

const NONE = { delivery: 0, pending: 0, reply: '' }

function heldOf(message: StoredMessage) {
  return { message, source: 0, deliveries: 0, reply: '', renewedAt: 0, open: 0, left: false }
}

function lostItem(stream: string, sequence: number): WorkItem {
  const message = lostMessage(sequence)
  const { subject, storedAt } = message
  const nothing = { key: undefined, data: undefined, correlationId: undefined, causationId: undefined, attributes: {} }
  const event = { ...nothing, id: '?', source: '?', type: '?', version: 1, time: 0, stream, sequence, storedAt }
  const origin = { stream, sequence, member: undefined, subject, storedAt }
  return { held: heldOf(message), event, origin, due: false, member: undefined, record: FIRST_ATTEMPT, since: 0 }
}

function consumerOf(declaration: HandlerDeclaration, stream: string, work: string): WorkConsumer {
  const { name, lanes } = declaration
  return {
    stream: ADVISORY_STREAM,
    // two deployments may have handlers of one name, of different streams
    name: `${handlerConsumer(name)}-of-${stream}`,
    description: `Messages of handler ${name} that the server gave up on`,
    filters: [
      ...lanes.flatMap((lane) => advisorySubjects(stream, handlerConsumer(name, lane.name))),
      ...advisorySubjects(work, handlerConsumer(name)),
    ],
    ackWait: ACK_WAIT_MS,
    maxAckPending: 1_000,
    // what cannot be stored now is stored later, however often that is tried
    maxDeliver: -1,
  }
}
