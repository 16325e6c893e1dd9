// LinePublisher
//
// Publishes lines of a file as fast as the server takes them, and knows at any moment up to which line everything is
// settled: stored by the stream, or rejected with a reason.
//
//   InputLine -> parseEventLine -> eventMessage -> Publisher (many in flight) -> receipt, by line
//
// Invariants (tests cite them):
//   L1  A line is counted once: published, or duplicate (its message id was stored before), or rejected.
//   L2  Every line before `resumeLine` is settled; repeating a later one is harmless within the duplicate window.
//   L3  A fault of one line rejects that line; a fault of the broker ends the run, with the line to resume from.
import { createHash } from 'node:crypto'
import type { Connection } from '../../broker/connection.js'
import type { PublishAck } from '../../broker/publish-ack.js'
import { Publisher } from '../../broker/publisher.js'
import { fault, isFault, type MillraceError } from '../../error/millrace-error.js'
import type { ErrorCode } from '../../error/catalogue.js'
import type { Event } from '../../event/event.js'
import type { Registry } from '../../event/registry.js'
import type { Clock } from '../../time/clock.js'
import { parseEventLine } from '../input/event-line.js'
import type { InputLine } from '../input/lines.js'
import { orStopped } from '../or-stopped.js'
import { eventMessage } from './event-message.js'
import type { Rejections } from './rejections.js'
import { ExistingStreams, type Targets } from './targets.js'

export interface LinePublisherOptions {
  readonly registry: Registry
  readonly targets: Targets
  readonly rejections: Rejections
  readonly clock: Clock
  /** Source of events whose line names none. */
  readonly source: string
  /** undefined: check only, publish nothing. */
  readonly connection: Connection | undefined
  readonly maxPayload: number
  readonly signal: AbortSignal
}

/** What the broker may say of one message without the next one being in vain. */
const OF_ONE_LINE: readonly ErrorCode[] = ['MESSAGE_TOO_LARGE', 'MESSAGE_INVALID', 'BROKER_PERMISSION_DENIED']

export class LinePublisher {
  readonly #options: LinePublisherOptions
  readonly #publisher: Publisher | undefined
  readonly #existing: ExistingStreams | undefined
  /** Lines without a receipt, in order. */
  readonly #open = new Set<number>()
  readonly #byStream = new Map<string, number>()
  #next = 1
  #published = 0
  #duplicates = 0
  #failure: MillraceError | undefined

  constructor(options: LinePublisherOptions) {
    this.#options = options
    const { connection, clock } = options
    this.#publisher = connection === undefined ? undefined : new Publisher(connection, { clock })
    this.#existing = connection === undefined ? undefined : new ExistingStreams(connection)
  }

  get published(): number {
    return this.#published
  }

  get duplicates(): number {
    return this.#duplicates
  }

  get byStream(): ReadonlyMap<string, number> {
    return this.#byStream
  }

  /** The first line that is not settled (L2). */
  get resumeLine(): number {
    const [first] = this.#open
    return first ?? this.#next
  }

  /** Takes one line; waits while too many are in flight. @throws what ends the run (L3) */
  async take(line: InputLine): Promise<void> {
    this.#next = line.number
    const event = this.#read(line)
    if (event !== undefined) await this.#publish(event, line)
    this.#next = line.number + 1
    if (this.#failure) throw this.#failure
  }

  /** Waits for the receipts that are missing. @throws what ended the run (L3) */
  async finish(): Promise<void> {
    await this.#publisher?.flush()
    if (this.#failure) throw this.#failure
  }

  /** Waits a little for missing receipts: the run was interrupted. */
  async settle(ms: number): Promise<void> {
    const { clock } = this.#options
    await Promise.race([this.#publisher?.flush(), new Promise<void>((resolve) => clock.after(ms, resolve))])
  }

  close(): void {
    this.#publisher?.close()
  }

  #read(line: InputLine): Event | undefined {
    if (line.kind === 'broken') {
      this.#reject(line, { code: 'INPUT_LINE_INVALID', detail: line.problem, issues: [] })
      return undefined
    }
    const { source, clock, registry } = this.#options
    const defaults = { id: () => lineId(line.number, line.text), source, time: clock.now() }
    const parsed = parseEventLine(line.text, registry, defaults)
    if (parsed.kind === 'event') return parsed.event
    this.#reject(line, parsed)
    return undefined
  }

  async #publish(event: Event, line: InputLine): Promise<void> {
    const { targets, maxPayload } = this.#options
    let message
    let stream
    try {
      stream = targets.of(event.type)
      message = eventMessage(event, stream, maxPayload)
    } catch (error) {
      if (!isFault(error)) throw error
      return this.#reject(line, error)
    }
    if (this.#publisher === undefined) return this.#stored(line.number, { stream: stream.name, duplicate: false })
    if (this.#existing?.has(stream.name) === false) await this.#existing.require(stream.name)
    if (this.#publisher.full) await orStopped(this.#publisher.ready(), this.#options.signal)
    this.#open.add(line.number)
    this.#publisher.publish(message).then(
      (ack) => this.#stored(line.number, ack),
      (error: unknown) => this.#refused(line, error),
    )
  }

  #stored(line: number, { stream, duplicate }: Pick<PublishAck, 'stream' | 'duplicate'>): void {
    this.#open.delete(line)
    if (duplicate) this.#duplicates += 1
    else this.#published += 1
    this.#byStream.set(stream, (this.#byStream.get(stream) ?? 0) + 1)
  }

  #refused(line: InputLine, error: unknown): void {
    const known = isFault(error) ? error : fault('INTERNAL', String(error), { cause: error })
    if (!OF_ONE_LINE.includes(known.code)) {
      this.#failure ??= known // the line stays open: it is where to resume
      return
    }
    this.#open.delete(line.number)
    this.#reject(line, known)
  }

  #reject(line: InputLine, { code, detail, issues }: Pick<MillraceError, 'code' | 'detail' | 'issues'>): void {
    this.#options.rejections.add(
      { line: line.number, code, detail, issues },
      line.kind === 'line' ? line.text : undefined,
    )
  }
}

/** The same line of the same input has the same id, so that publishing it again stores it once. */
function lineId(number: number, text: string): string {
  return `${number}-${createHash('sha1').update(text).digest('hex').slice(0, 20)}`
}
