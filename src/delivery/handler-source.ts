// HandlerSource
//
// One durable consumer of a handler, pulled from with credit. Whatever happens to the link, the server or the consumer,
// it goes on, or says with a code why it cannot.
//
//   HandlerSource -> HandlerRun:   onMessages(messages)
//   HandlerRun -> HandlerSource:   grant(credit), release(count), drain()
//
// Invariants (tests cite them):
//   DL5  A consumer that was deleted is made again behind what is done; one that was changed is changed back. Both are
//        told, with a code.
import { asFault, outcomeUnknown } from '../broker/api-error.js'
import type { Connection } from '../broker/connection.js'
import { Pull, type PullEnd } from '../broker/pull.js'
import type { StoredMessage } from '../broker/stored-message.js'
import { makeWorkConsumer, readWorkConsumer, type WorkConsumer } from '../broker/work-consumer.js'
import { readStreamIdentity } from '../broker/stream-identity.js'
import { fault, type MillraceError } from '../error/millrace-error.js'
import type { Log } from '../observe/log.js'
import type { Clock } from '../time/clock.js'
import { placeOf, startOf } from './consumer-start.js'
import type { Floors } from './floors.js'
import type { SourceLoad } from './share-credit.js'

export interface HandlerSourceOptions {
  readonly connection: Connection
  readonly clock: Clock
  readonly log: Log
  readonly consumer: WorkConsumer
  /** Where it begins for the first time. */
  readonly from: 'first' | 'new'
  /** Absent for work, which is there until it is done. */
  readonly floors?: Floors
  /** Whose lane it is. */
  readonly handler?: string
  readonly onMessages: (messages: readonly StoredMessage[]) => void
  /** It has less than it asked for: what it may ask for is to be granted anew. Default: as much as before. */
  readonly onLess?: () => void
  /** It cannot go on. */
  readonly onFailure: (error: MillraceError) => void
}

type State =
  | { readonly kind: 'opening' }
  | { readonly kind: 'delivering'; readonly pull: Pull }
  | { readonly kind: 'waiting' }
  /** It asks for nothing until it is told to. */
  | { readonly kind: 'drained' }
  | { readonly kind: 'stopped' }

/** How often it is looked whether the consumer is as it should be, and how far it is, in ms. */
const LOOK_MS = 5_000
const LONGEST_PAUSE_MS = 2_000

export class HandlerSource {
  readonly #options: HandlerSourceOptions
  readonly #stops: (() => void)[]
  #state: State = { kind: 'waiting' }
  #credit = 1
  #held = 0
  #backlog = 0
  #created = ''

  constructor(options: HandlerSourceOptions) {
    this.#options = options
    this.#stops = [
      options.connection.onStatus(({ kind }) => {
        if (kind === 'connected') this.#open(1)
        else if (kind === 'disconnected') this.#suspend()
        else if (kind === 'closed') this.#fail(fault('BROKER_UNREACHABLE', 'the connection was closed'))
      }),
      options.clock.every(LOOK_MS, () => void this.#look()),
    ]
  }

  /** Makes a consumer that is not there, before others are changed that had its events. @throws errors of the broker */
  async prepare(): Promise<void> {
    const { connection, consumer, floors } = this.#options
    if (floors === undefined || (await readWorkConsumer(connection, consumer, false)) !== undefined) return
    this.#created = (await readStreamIdentity(connection, consumer.stream)).created
    await this.#make()
  }

  /** Begins. @throws what keeps it from beginning at all */
  async start(): Promise<void> {
    const pending = await this.#ensure()
    // it may have been stopped or drained meanwhile, or a link that came back opens it
    if (this.#state.kind === 'waiting') this.#deliver(pending)
  }

  get load(): SourceLoad {
    const asked = this.#state.kind === 'delivering' ? this.#state.pull.asked : 0
    return { held: this.#held, asked, backlog: this.#backlog }
  }

  /** How much it may hold and ask for, together. */
  grant(credit: number): void {
    this.#credit = credit
    if (this.#state.kind === 'delivering') this.#state.pull.grant(credit)
  }

  /** So many messages are done. */
  release(count: number): void {
    this.#held -= count
    if (this.#state.kind === 'delivering') this.#state.pull.release(count)
  }

  /** Asks for nothing more; resolves with what had come and was not handed over. It can go on with `resume`. */
  async drain(): Promise<readonly StoredMessage[]> {
    const pull = this.#state.kind === 'delivering' ? this.#state.pull : undefined
    if (this.#state.kind !== 'stopped') this.#state = { kind: 'drained' }
    return (await pull?.drain()) ?? []
  }

  /** Goes on after `drain`. */
  resume(): void {
    if (this.#state.kind !== 'drained') return
    this.#state = { kind: 'waiting' }
    this.#open(1)
  }

  /** Ends it for good. */
  stop(): void {
    this.#suspend()
    this.#state = { kind: 'stopped' }
    for (const stop of this.#stops) stop()
  }

  #suspend(): void {
    if (this.#state.kind === 'stopped' || this.#state.kind === 'drained') return
    if (this.#state.kind === 'delivering') this.#state.pull.stop()
    this.#state = { kind: 'waiting' }
  }

  #fail(error: MillraceError): void {
    if (this.#state.kind === 'stopped') return
    this.stop()
    this.#options.onFailure(error)
  }

  #open(attempt: number): void {
    if (this.#state.kind === 'stopped' || this.#state.kind === 'drained') return
    this.#suspend()
    const { connection, clock } = this.#options
    if (connection.state.kind !== 'connected') return // a reconnect opens it
    const state: State = (this.#state = { kind: 'opening' })
    this.#ensure().then(
      (pending) => (this.#state === state ? this.#deliver(pending) : undefined),
      (thrown: unknown) => {
        if (this.#state !== state) return
        this.#state = { kind: 'waiting' }
        const error = asFault(thrown, `opening consumer ${this.#options.consumer.name}`)
        if (!outcomeUnknown(error) && error.code !== 'STREAM_NOT_FOUND') return this.#fail(error)
        if (attempt === 5) this.#warn(error, 'a handler waits for its stream')
        clock.after(Math.min(LONGEST_PAUSE_MS, 100 * 2 ** attempt), () => {
          if (this.#state.kind === 'waiting') this.#open(attempt + 1)
        })
      },
    )
  }

  /** @returns how many messages wait */
  async #ensure(): Promise<number> {
    const { connection, consumer, floors } = this.#options
    if (floors !== undefined) this.#created = (await readStreamIdentity(connection, consumer.stream)).created
    const found = await readWorkConsumer(connection, consumer)
    if (found !== undefined) {
      this.#tellCorrected(found.corrected)
      return found.pending
    }
    await this.#make()
    return (await readWorkConsumer(connection, consumer))?.pending ?? 0
  }

  async #make(): Promise<void> {
    const { connection, consumer } = this.#options
    await makeWorkConsumer(connection, consumer, await startOf(this.#options, this.#created))
  }

  #deliver(pending: number): void {
    const { connection, clock, consumer, onLess } = this.#options
    this.#backlog = pending
    const pull = new Pull(connection, {
      stream: consumer.stream,
      consumer: consumer.name,
      credit: Math.max(this.#credit, this.#held + 1),
      held: this.#held,
      ackWait: consumer.ackWait,
      clock,
      onMessages: (messages) => this.#take(messages),
      ...(onLess === undefined ? {} : { onLess }),
      onIdle: () => (this.#backlog = 0),
      onEnd: (end) => this.#onEnd(end),
    })
    this.#state = { kind: 'delivering', pull }
  }

  #take(messages: readonly StoredMessage[]): void {
    this.#held += messages.length
    this.#backlog = messages.at(-1)?.pending ?? 0
    this.#options.onMessages(messages)
  }

  #onEnd(end: PullEnd): void {
    if (this.#state.kind !== 'delivering') return
    if (end.kind === 'denied') return this.#fail(fault('BROKER_PERMISSION_DENIED', end.detail))
    // a consumer that was changed into one of another kind says so when it is read
    this.#open(end.kind === 'refused' ? 3 : 1)
  }

  /** What somebody has changed is changed back; how far everything is done is stored. */
  async #look(): Promise<void> {
    const { connection, consumer, floors } = this.#options
    if (this.#state.kind !== 'delivering' || connection.state.kind !== 'connected') return
    try {
      const found = await readWorkConsumer(connection, consumer)
      if (found === undefined) return // the pull is told as well
      this.#backlog = Math.max(this.#backlog, found.pending)
      this.#tellCorrected(found.corrected)
      if (found.corrected.length > 0) this.#open(1)
      await floors?.write(placeOf(consumer), { created: this.#created, floor: found.floor })
    } catch (thrown) {
      const error = asFault(thrown, `reading consumer ${consumer.name}`)
      if (error.code === 'HANDLER_CONSUMER_CHANGED') this.#fail(error)
      else this.#options.log.debug({ code: error.code }, error.message)
    }
  }

  #tellCorrected(corrected: readonly string[]): void {
    const { consumer, log } = this.#options
    if (corrected.length > 0)
      log.warn({ consumer: consumer.name, stream: consumer.stream, settings: corrected }, 'a consumer was changed back')
  }

  #warn(error: MillraceError, message: string): void {
    this.#options.log.warn({ code: error.code, detail: error.detail }, message)
  }
}
