import { Publisher } from '../../broker/publisher.js'
import { fault, messageOf } from '../../error/millrace-error.js'
import { afterFailure } from '../attempt-headers.js'
import { codeOf, handlerLetter } from '../handler-letter.js'
import { Stalls } from '../stalls.js'
import { Storing } from '../storing.js'
import type { AttemptOutcome } from './attempt-outcome.js'
import type { OpenEvent } from './open-event.js'
import type { OrderedAttemptsOptions } from './ordered-attempts.js'
import { readOriginal, type Original } from './original.js'
import { parkingMessage } from './parking-message.js'

const PATIENCE_MS = 10_000
const PAUSE_MS = 500

/** Has what becomes of events stored that is not stored by their unit: dead letters, and what brings them to a park. */
export class OrderedFates {
  readonly #options: OrderedAttemptsOptions
  readonly #now: () => number
  readonly #publisher: Publisher
  readonly #storing: Storing
  readonly #stopping = new AbortController()

  /** @param now in ms since the Unix epoch */
  constructor(options: OrderedAttemptsOptions, now: () => number) {
    const { connection, clock, declaration, shared, ports } = options
    this.#options = options
    this.#now = now
    this.#publisher = new Publisher(connection, { clock, patience: PATIENCE_MS })
    const stalls = new Stalls(declaration.name, ports.log, (stands) => shared.places.hold(stands))
    this.#storing = new Storing({
      publisher: this.#publisher,
      clock,
      signal: this.#stopping.signal,
      onStall: (stall) => stalls.set('storing', stall),
    })
  }

  stop(): void {
    this.#stopping.abort(fault('HANDLER_FAILED', 'the handler is being stopped'))
    this.#publisher.close()
  }

  /** It is given up. @throws the signal’s reason, and what the broker refuses for good */
  async dead(open: OpenEvent, error: unknown, signal: AbortSignal): Promise<AttemptOutcome> {
    const { declaration, connection, ports } = this.#options
    const { record, event } = open
    const code = codeOf(error)
    const { attempts } = afterFailure(record, { at: this.#now(), code })
    const { origin, message } = await this.original(open, signal)
    const item = { origin, record }
    const letter = handlerLetter(declaration, item, message, error, attempts, connection.server.maxPayload)
    await this.#storing.storeOnce(letter, 'HANDLER_LETTER_WAITS')
    ports.log.warn({ event: event.id, code, attempts: attempts.length }, 'an event became a dead letter')
    return { k: 'dead', code }
  }

  /** Has it come back to its unit, which parks its key with it. @throws as dead */
  async park(open: OpenEvent, signal: AbortSignal): Promise<AttemptOutcome> {
    const { declaration, stream } = this.#options
    const message = parkingMessage(stream, declaration.name, open.event, await this.original(open, signal))
    await this.#storing.storeOnce(message, 'HANDLER_WORK_UNSTORED')
    return { k: 'parking' }
  }

  /** As it was published. @throws the signal’s reason */
  original({ event }: OpenEvent, signal: AbortSignal): Promise<Original> {
    const { connection, registry, reader } = this.#options
    return untilThere(this.#options, () => readOriginal(connection, registry, reader, event), signal)
  }
}

/** Finds something at the broker, for as long as it takes. @throws the signal’s reason */
export async function untilThere<Found>(
  { clock, ports, declaration }: Pick<OrderedAttemptsOptions, 'clock' | 'ports' | 'declaration'>,
  find: () => Promise<Found>,
  signal: AbortSignal,
): Promise<Found> {
  for (;;)
    try {
      return await find()
    } catch (error) {
      ports.log.warn({ handler: declaration.name, detail: messageOf(error) }, 'an ordered handler waits for the broker')
      await clock.sleep(PAUSE_MS, signal)
    }
}
