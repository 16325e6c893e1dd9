// OrderedAttempts
//
// Makes the attempts at the events of one unit: waits for their time, for a place and for the gate, runs the handler, and
// has a dead letter stored before it says so. What it says is written down by the kernel.
//
//   OrderedLogic -> OrderedAttempts:   the event that comes next of its key
//   OrderedAttempts -> OrderedLogic:   how the attempt ended
import type { Connection } from '../../broker/connection.js'
import { readLast } from '../../broker/last-message.js'
import { streamTimeOf } from '../../broker/stream-time.js'
import { fault, isFault, messageOf } from '../../error/millrace-error.js'
import type { StoredEvent } from '../../event/event.js'
import { parkableKey } from '../../kernel/parking/parkable-key.js'
import type { LogicEnvironment } from '../../kernel/logic-environment.js'
import type { Processor } from '../../kernel/processor.js'
import type { Clock } from '../../time/clock.js'
import { emittedMessages } from '../emitted.js'
import { causeOf, outcomeOf } from '../execution.js'
import { decideFate } from '../fates.js'
import type { Gate } from '../gate.js'
import { codeOf } from '../handler-letter.js'
import type { HandlerDeclaration } from '../handler-options.js'
import { delayOfNotBegun } from '../recovery.js'
import type { RunEnd } from '../run-handler.js'
import { emittedText, MOST_EMITTED, type AttemptOutcome } from './attempt-outcome.js'
import type { Begun } from './killers.js'
import { changed, giveUp, orAborted } from './gate-waits.js'
import type { OpenEvent } from './open-event.js'
import { OrderedFates, untilThere } from './ordered-fates.js'
import { runOnce } from './run-once.js'
import type { OrderedPorts, OrderedProcessorOptions, OrderedReady, Shared } from './ordered-processor.js'

export interface OrderedAttemptsOptions extends OrderedProcessorOptions {
  readonly ports: OrderedPorts
  readonly connection: Connection
  readonly clock: Clock
  readonly commits: LogicEnvironment['commits']
  /** The handler as a processor, by which messages come back to it. */
  readonly reader: Processor
  readonly shared: Shared
}

const PAUSE_MS = 500
/** How long a stop waits for runs to end before it aborts their signals, in ms. */
const STOP_GRACE_MS = 8_000
const FINISH_LOOK_MS = 10
/** For how long it is known that the unit is this process’s own, in ms: nobody takes one over in less. */
const SURE_MS = 1_000
/** A longer wait is made of several. */
const LONGEST_SLEEP_MS = 60_000

type Ended = Exclude<RunEnd, { readonly kind: 'interrupted' }>

export class OrderedAttempts {
  readonly #options: OrderedAttemptsOptions
  readonly #fates: OrderedFates
  readonly #stopTime: () => void
  /** Attempts that have begun and are not told of yet. */
  #running = 0
  #finishing = false

  constructor(options: OrderedAttemptsOptions) {
    const { connection, clock } = options
    this.#options = options
    this.#fates = new OrderedFates(options, this.now)
    this.#stopTime = streamTimeOf(connection, clock, options.stream.name).follow(() => undefined)
  }

  /** By the clock of the server, in ms since the Unix epoch. */
  readonly now = (): number => {
    const { connection, clock, stream } = this.#options
    const time = streamTimeOf(connection, clock, stream.name)
    return time.known ? time.now() : clock.now()
  }

  /** Begins nothing more; resolves when what runs has ended, or has had time enough. */
  async finish(): Promise<void> {
    this.#finishing = true
    const { clock } = this.#options
    const until = clock.monotonic() + STOP_GRACE_MS
    while (this.#running > 0 && clock.monotonic() < until) await clock.sleep(FINISH_LOOK_MS)
  }

  stop(): void {
    this.#stopTime()
    this.#fates.stop()
  }

  /** Makes the next attempt at an event, or has it brought to its park. @throws the signal’s reason */
  async run(open: OpenEvent, begins: () => void, signal: AbortSignal): Promise<AttemptOutcome> {
    const asked = this.#options.clock.monotonic()
    if (open.halt !== undefined) return this.#fates.park(open, signal)
    while (open.due > this.now())
      await this.#options.clock.sleep(Math.min(LONGEST_SLEEP_MS, open.due - this.now() + 1), signal)
    begins()
    const begun = open.found ? await this.#suspect(open, signal) : undefined
    try {
      if (begun?.kills === true)
        return await this.#fates.dead(
          open,
          fault('HANDLER_CRASHED', 'its processes have ended in the middle of it'),
          signal,
        )
      return await this.#attempt(open, asked, signal)
    } catch (error) {
      // what the broker refuses for good is refused the next time too
      if (signal.aborted) throw error
      return { k: 'crash', code: codeOf(error), detail: messageOf(error) }
    } finally {
      await begun?.end()
      open.found = false
    }
  }

  async #attempt(open: OpenEvent, asked: number, signal: AbortSignal): Promise<AttemptOutcome> {
    const { declaration, gate } = await this.#ready(signal)
    for (;;) {
      await this.#enter(gate, open.event, asked, signal)
      this.#running += 1
      let wait: number | undefined
      try {
        const end = await this.#made(open, declaration, gate, signal)
        if (end.kind === 'returned') return await this.#returned(open, end.value, signal)
        wait = delayOfNotBegun(end.error)
        if (wait === undefined) return await this.#failed(open, end.error, signal)
      } finally {
        this.#running -= 1
      }
      await this.#options.clock.sleep(wait, signal)
    }
  }

  async #made(open: OpenEvent, declaration: HandlerDeclaration, gate: Gate, signal: AbortSignal): Promise<Ended> {
    const { clock, ports, shared } = this.#options
    const { places } = shared
    const began = clock.monotonic()
    const once = runOnce(declaration, open, signal, { clock, places, log: ports.log })
    const end = await once.finally(() => places.give())
    gate.left(outcomeOf(end), clock.monotonic() - began, causeOf(end))
    if (end.kind === 'interrupted') throw signal.reason
    return end
  }

  /** Past the gate, with a place; who waits at the gate has none. */
  async #enter(gate: Gate, event: StoredEvent, asked: number, signal: AbortSignal): Promise<void> {
    const { clock, shared } = this.#options
    const { places } = shared
    for (let known = asked; ;) {
      await places.take(signal)
      if (this.#finishing) return giveUp(signal, () => places.give())
      // it may have been frozen, and somebody else may have the unit now
      if (clock.monotonic() - known > SURE_MS) {
        const owned = await this.#owned(signal).catch((error: unknown) => {
          places.give()
          throw error
        })
        if (owned === undefined) {
          places.give() // others may have use for it meanwhile
          while ((await this.#owned(signal)) === undefined);
          continue
        }
        known = owned
      }
      const wait = gate.open ? gate.wait(event) : changed(gate)
      if (wait === undefined) return gate.entered()
      places.give()
      await orAborted(wait, signal)
    }
  }

  /**
   * When the last commit of the unit was this process’s own, by the monotonic clock; undefined: nobody can say yet. One that
   * is under way is not known here, however long that takes; one of another process never will be, and the unit ends.
   * @throws the signal’s reason
   */
  async #owned(signal: AbortSignal): Promise<number | undefined> {
    const { connection, commits, clock } = this.#options
    const [, stream = ''] = commits.subject.split('.')
    let before = 0
    const read = async (): Promise<{ readonly sequence: number }> => {
      before = clock.monotonic()
      return (await readLast(connection, stream, commits.subject)) ?? { sequence: 0 }
    }
    const { sequence } = await untilThere(this.#options, read, signal)
    while (sequence > commits.storedUpTo()) {
      if (clock.monotonic() - before > SURE_MS) return undefined
      await clock.sleep(PAUSE_MS / 10, signal)
    }
    signal.throwIfAborted()
    return before
  }

  #returned(open: OpenEvent, value: unknown, signal: AbortSignal): AttemptOutcome | Promise<AttemptOutcome> {
    const { declaration, emitsTo, connection } = this.#options
    try {
      const messages = emittedMessages(value, open.event, { declaration, to: emitsTo, time: this.now() })
      if (messages.length === 0) return { k: 'done' }
      const out = emittedText(messages)
      const size = out.reduce((sum, { d, h }) => sum + d.length + JSON.stringify(h).length, 0)
      const largest = Math.max(...messages.map(({ data }) => data.length))
      if (size > MOST_EMITTED || largest > connection.server.maxPayload)
        throw fault('MESSAGE_TOO_LARGE', `${declaration.name} emits ${size} bytes, at most ${MOST_EMITTED}`)
      return { k: 'done', out }
    } catch (error) {
      return this.#failed(open, error, signal)
    }
  }

  async #failed(open: OpenEvent, error: unknown, signal: AbortSignal): Promise<AttemptOutcome> {
    const { declaration, ports } = this.#options
    const { attempt } = open.record
    const decision = decideFate({ declaration, now: this.now, ...ports }, attempt, error)
    const [at, code] = [this.now(), codeOf(error)]
    const fields = { event: open.event.id, attempt, code, decision: decision.kind }
    ports.log.debug({ ...fields, detail: messageOf(error) }, 'a run of a handler failed')
    const detail = isFault(error) ? error.detail : messageOf(error)
    switch (decision.kind) {
      case 'now':
        return { k: 'later', at, code, due: 0 }
      case 'later':
        return { k: 'later', at, code, due: decision.at }
      case 'park':
        if (parkableKey({}, open.event) === undefined) return this.#fates.dead(open, error, signal)
        return { k: 'park', code, detail: `attempt ${attempt}: ${detail}`.slice(0, MOST_DETAIL) }
      case 'dead-letter':
        return this.#fates.dead(open, error, signal)
      case 'crash':
        return { k: 'crash', code, detail: detail.slice(0, MOST_DETAIL) }
    }
  }

  /** It was open when the unit began here. @throws the signal’s reason */
  async #suspect(open: OpenEvent, signal: AbortSignal): Promise<Begun> {
    const { connection, clock, declaration, ports, work, shared } = this.#options
    const place = { connection, clock, log: ports.log, work: work.name, handler: declaration.name }
    const { origin } = await this.#fates.original(open, signal)
    return shared.killers.begin(origin, signal, place)
  }

  /** @throws the signal’s reason */
  #ready(signal: AbortSignal): Promise<OrderedReady> {
    const { connection, clock, shared } = this.#options
    return untilThere(this.#options, () => shared.ready(connection, clock), signal)
  }
}

const MOST_DETAIL = 4_000
