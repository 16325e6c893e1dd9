// HandlerRun
//
// A handler at work in this process, beside others in other processes: takes what its consumers deliver, runs the handler
// as often at a time as is allowed, has the fate of each event stored, and acknowledges.
//
//   HandlerSource -> HandlerRun:   messages of each lane, and what is due again
//   HandlerRun -> Execution:       events, one after the other as there is room
//   Execution -> HandlerRun:       the fate of each
//   HandlerRun -> ConfirmedAcks:   messages whose events all have their fate; renewals of all that is in hand
//
// Invariants (tests cite them):
//   DL6  At most `concurrency.worker` events run at a time; what waits beside them is at most one message of each source
//        that has nothing else in hand.
//   DL7  What is in hand is renewed, running or waiting; what was not for longer than `ackWait` is not begun, and no
//        failure of it is stored: somebody else has it.
//   DL8  A stop waits for what runs, hands back what was not begun in ascending order, and for its acknowledgements.
import { ConfirmedAcks } from '../broker/confirmed-acks.js'
import { Publisher } from '../broker/publisher.js'
import { deliveryCountOf } from '../broker/delivery-count.js'
import type { StoredMessage } from '../broker/stored-message.js'
import { streamTimeOf } from '../broker/stream-time.js'
import { fault, isFault, messageOf, type MillraceError } from '../error/millrace-error.js'
import { CreditBalance } from './credit-balance.js'
import { Crew } from './crew.js'
import { Fates, type Fate } from './fates.js'
import { Floors } from './floors.js'
import { openGate, type Gate } from './gate.js'
import { GivenUp } from './given-up.js'
import { handBack } from './hand-back.js'
import { openSources, startSources } from './open-sources.js'
import type { HandlerRunOptions, HandlerStatus } from './handler-run-options.js'
import type { HandlerSource } from './handler-source.js'
import { withInbox } from './idempotency/inbox.js'
import { InFlight, type Held } from './held.js'
import { openDue, openPublished } from './open-message.js'
import { Stalls } from './stalls.js'
import { Storing } from './storing.js'
import type { WorkItem } from './work-item.js'

const STOP_GRACE_MS = 10_000
/** How long a stop waits for runs whose signal is aborted, and for acknowledgements, in ms. */
const LAST_WAIT_MS = 2_000
const PATIENCE_MS = 10_000

export class HandlerRun {
  readonly #options: HandlerRunOptions
  readonly #gate: Gate
  readonly #publisher: Publisher
  readonly #acks: ConfirmedAcks
  readonly #stopping = new AbortController()
  readonly #inFlight: InFlight
  readonly #crew: Crew
  readonly #fates: Fates
  readonly #counts = { done: 0, ignored: 0, later: 0, dead: 0, left: 0 }
  readonly #stops: (() => void)[] = []
  #sources: readonly HandlerSource[] = []
  #balance: CreditBalance | undefined
  #givenUp: GivenUp | undefined
  readonly #stalls: Stalls
  #stopped: Promise<void> | undefined
  #gating: Promise<void> = Promise.resolve()

  /**
   * Starts a handler: makes its consumers where they are not there, and begins to take events.
   * @throws HANDLER_CONSUMER_CHANGED, STREAM_REPLACED, STREAM_NOT_FOUND and others of the broker
   */
  static async start(options: HandlerRunOptions): Promise<HandlerRun> {
    const floors = new Floors(options.connection, options.clock)
    await floors.prepare(options.stream.replicas)
    const run = new HandlerRun(await withInbox(options))
    try {
      await run.#begin(floors)
      return run
    } catch (error) {
      run.#end()
      throw error
    }
  }

  private constructor(options: HandlerRunOptions) {
    const { connection, clock, declaration, work, gate = openGate, log, emitsTo, chance } = options
    this.#options = options
    this.#inFlight = new InFlight(clock, declaration.ackWait)
    this.#gate = gate
    this.#publisher = new Publisher(connection, { clock, patience: PATIENCE_MS })
    this.#acks = new ConfirmedAcks(connection, clock)
    this.#stalls = new Stalls(declaration.name, log, (stands) =>
      this.#stopped === undefined ? this.#crew.hold(stands) : undefined,
    )
    const time = streamTimeOf(connection, clock, work.name)
    this.#stops.push(time.follow(() => undefined))
    const now = (): number => (time.known ? time.now() : clock.now())
    const { signal } = this.#stopping
    const storing = new Storing({
      publisher: this.#publisher,
      clock,
      signal,
      onStall: (stall) => this.#stalls.set('storing', stall),
    })
    const { maxPayload } = connection.server
    this.#fates = new Fates({ declaration, log, storing, work: work.name, emitsTo, maxPayload, chance, now })
    this.#crew = new Crew({
      ...options,
      gate,
      work: work.name,
      fates: this.#fates,
      lapsed: ({ held }) => this.#inFlight.lapsed(held),
      onFate: (item, fate) => this.#onFate(item, fate),
      onStall: (stall) => this.#stalls.set('runs', stall),
      signal,
    })
  }

  get status(): HandlerStatus {
    const { name } = this.#options.declaration
    const { open, closedBecause: detail = '', trouble } = this.#gate
    const stall = this.#stalls.current ?? trouble ?? (open ? undefined : { code: 'GATE_CLOSED' as const, detail })
    return { name, held: this.#inFlight.size, running: this.#crew.running, stall, counts: { ...this.#counts } }
  }

  /** Acknowledgements that the server has confirmed, and those that it has not. */
  get acknowledged(): { readonly confirmed: number; readonly open: number } {
    return this.#acks
  }

  /** Ends it in good order (DL8). Safe to call twice. Never rejects. */
  stop(): Promise<void> {
    return (this.#stopped ??= this.#stop())
  }

  async #begin(floors: Floors): Promise<void> {
    const { declaration, clock } = this.#options
    this.#sources = openSources(this.#options, floors, {
      onMessages: (source, messages) => this.#take(source, messages),
      onLess: () => this.#balance?.changed(),
      onFailure: (error) => this.#fail(error),
    })
    const total = (): number => Math.min(declaration.concurrency.worker, this.#gate.most ?? Number.POSITIVE_INFINITY)
    this.#balance = new CreditBalance(total, this.#sources, this.#crew.weights)
    await startSources(this.#sources)
    this.#givenUp = new GivenUp({ ...this.#options, fates: this.#fates, onFailure: (error) => this.#fail(error) })
    await this.#givenUp.start()
    this.#stops.push(
      clock.every(declaration.ackWait / 3, () => this.#renew()),
      this.#gate.onChange(() => this.#onGate()),
    )
    this.#onGate() // it may have changed since the first source has begun
  }

  #renew(): void {
    this.#inFlight.renew((replies) => this.#acks.renew(replies))
    this.#crew.pump() // nobody else gets what is in hand: it must not wait for a change that nobody tells of
  }

  #take(place: number, messages: readonly StoredMessage[]): void {
    const now = this.#options.clock.monotonic()
    for (const message of messages) {
      const held = this.#inFlight.take(place, message, deliveryCountOf(message.reply))
      if (held === undefined) this.#sources[place]?.release(1)
      else this.#open(held, now)
    }
    this.#balance?.changed()
    this.#crew.pump()
  }

  #open(held: Held, now: number): void {
    const { declaration, registry, stream, work } = this.#options
    const due = held.source === this.#sources.length - 1
    const options = { declaration, registry, stream: due ? work.name : stream.name, now }
    const opened = due ? openDue(options, held) : openPublished(options, held)
    held.open = opened.items.length + opened.broken.length
    this.#counts.ignored += opened.ignored
    if (held.open === 0) return this.#finish(held)
    for (const { item, error } of opened.broken)
      void this.#fates.dead(item, error, false).then((fate) => this.#onFate(item, fate))
    for (const item of opened.items) this.#crew.add(item)
  }

  #onFate(item: WorkItem, fate: Fate): void {
    const { held } = item
    if (fate.kind === 'left') held.left = true
    if (fate.kind === 'crash') {
      held.left = true
      this.#crash(item, fate.error)
    } else if (fate.kind !== 'again') this.#counts[fate.kind] += 1
    held.open -= 1
    if (held.open === 0) this.#finish(held)
  }

  /** All of a message has its fate; or it is left to be delivered again. */
  #finish(held: Held): void {
    if (!this.#inFlight.remove(held)) return
    if (!held.left) this.#acks.ack(held.reply)
    else if (!this.#inFlight.lapsed(held)) this.#acks.handBack([held.reply])
    this.#sources[held.source]?.release(1)
    this.#balance?.changed()
  }

  /** Closed: nothing is asked for, and what has not begun is handed back. */
  #onGate(): void {
    this.#gating = this.#gating.then(async () => {
      if (this.#stopped !== undefined) return
      if (this.#gate.open) for (const source of this.#sources) source.resume()
      else await this.#handBack()
      this.#balance?.changed()
      this.#crew.pump()
    })
  }

  async #handBack(): Promise<void> {
    const [crew, sources, inFlight, acks] = [this.#crew, this.#sources, this.#inFlight, this.#acks]
    this.#counts.left += await handBack({ crew, sources, inFlight, acks })
  }

  #crash(item: WorkItem, error: unknown): void {
    const at = `${item.origin.stream} ${item.origin.sequence}`
    const known = isFault(error) ? error : fault('HANDLER_FAILED', messageOf(error), { cause: error })
    this.#fail(fault(known.code, `${this.#options.declaration.name} at ${at}: ${known.detail}`, { cause: error }))
  }

  #fail(error: MillraceError): void {
    if (this.#stopped !== undefined) return
    const { declaration, log } = this.#options
    log.error({ handler: declaration.name, code: error.code, detail: error.detail }, 'a handler has stopped')
    void this.stop().then(() => this.#options.onFailure(error))
  }

  async #stop(): Promise<void> {
    const { stopGraceMs = STOP_GRACE_MS } = this.#options
    this.#crew.hold(true)
    await this.#gating
    await this.#handBack()
    await this.#crew.idle(stopGraceMs)
    this.#stopping.abort(fault('HANDLER_FAILED', 'the handler is being stopped'))
    this.#crew.interrupt()
    await this.#crew.idle(Math.min(LAST_WAIT_MS, stopGraceMs))
    await this.#handBack() // what was to be run again
    if (this.#options.connection.state.kind === 'connected') await this.#acks.settled(LAST_WAIT_MS)
    this.#end()
  }

  #end(): void {
    for (const stop of this.#stops) stop()
    for (const source of this.#sources) source.stop()
    this.#givenUp?.stop()
    this.#gate.stop?.()
    this.#acks.close()
    this.#publisher.close()
  }
}
