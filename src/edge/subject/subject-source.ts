import type { Connection } from '../../broker/connection.js'
import type { StreamDeclaration } from '../../broker/define-stream.js'
import type { StoredMessage } from '../../broker/stored-message.js'
import { readStreamIdentity } from '../../broker/stream-identity.js'
import type { WireMessage } from '../../event/wire.js'
import type { Log } from '../../observe/log.js'
import type { Clock } from '../../time/clock.js'
import type { EdgeRun } from '../edge-run.js'
import { sourceId } from '../edge-status.js'
import { letterOfInput } from '../source/source-letter.js'
import { asInputFault, parseInput, SourceMessages, textOf } from '../source/source-message.js'
import { startSource, type Input, type SourceReader } from '../source/source-run.js'
import { StreamReader } from '../stream-reader.js'
import type { CapturedMessage, SubjectSourceDeclaration } from './define-subject-source.js'

export interface SubjectSourceRunOptions {
  readonly connection: Connection
  readonly clock: Clock
  readonly log: Log
  readonly declaration: SubjectSourceDeclaration
  readonly stream: StreamDeclaration
  /** Where the server captures them: see captureStream. */
  readonly capture: StreamDeclaration
  /** A text that no other run has. */
  readonly run: string
}

/** How far it is in the capture stream. */
interface CapturePlace {
  readonly sequence: number
  /** When the server made that stream: in another one of its name the sequence means nothing. */
  readonly created?: string
}

const MOST = 500
const STRUCTURED = /^\s*application\/cloudevents/i

/** Puts a subject source to work. */
export function startSubjectSource(options: SubjectSourceRunOptions): EdgeRun {
  const { declaration, connection, stream, capture } = options
  const { name, to } = declaration
  const messages = new SourceMessages(name, stream.root, to.events, connection.server.maxPayload)
  return startSource<CapturePlace>({
    ...options,
    name,
    kind: 'subject-source',
    isPlace: (value): value is CapturePlace => Number.isSafeInteger((value as Partial<CapturePlace>)?.sequence),
    describe: ({ sequence }) => sequence,
    open: async (place, { signal }) => {
      const { created } = await readStreamIdentity(connection, capture.name)
      const after = isReplaced(options, place, created) ? 0 : (place?.sequence ?? 0)
      return new CaptureReader(options, messages, { after, created, signal })
    },
  })
}

/** What the new stream has was captured since then, so that the source begins at its beginning. */
function isReplaced(
  { log, declaration }: SubjectSourceRunOptions,
  place: CapturePlace | undefined,
  created: string,
): boolean {
  if (place?.created === undefined || place.created === created) return false
  log.warn(
    {
      edge: sourceId(declaration.name),
      code: 'SOURCE_CAPTURE_REPLACED',
      from: place.created,
      to: created,
      after: place.sequence,
    },
    'the capture stream was made again; it is read from its beginning',
  )
  return true
}

interface CaptureStart {
  readonly after: number
  readonly created: string
  readonly signal: AbortSignal
}

class CaptureReader implements SourceReader<CapturePlace> {
  readonly #options: SubjectSourceRunOptions
  readonly #messages: SourceMessages
  readonly #reader: StreamReader
  readonly #created: string
  /** Tells its messages from those of another stream of its name, in ids of events and of dead letters. */
  readonly #which: string
  #last: number

  constructor(options: SubjectSourceRunOptions, messages: SourceMessages, { after, created, signal }: CaptureStart) {
    const { connection, clock, capture } = options
    this.#options = options
    this.#messages = messages
    this.#created = created
    this.#which = `${capture.name}-${Date.parse(created).toString(36)}`
    this.#last = after
    this.#reader = new StreamReader({ connection, clock, stream: capture.name, filters: [], after, signal })
  }

  async next(): Promise<readonly Input<CapturePlace>[] | undefined> {
    const { log, declaration } = this.#options
    const messages = await this.#reader.next(MOST)
    for (const { sequence } of messages ?? []) {
      if (sequence > this.#last + 1)
        log.warn(
          { edge: sourceId(declaration.name), code: 'SOURCE_CAPTURE_LOST', from: this.#last + 1, to: sequence - 1 },
          'messages that were captured are gone',
        )
      this.#last = sequence
    }
    return messages?.map((message) => this.#inputOf(message))
  }

  stored(inputs: number): void {
    this.#reader.release(inputs)
  }

  stop(): Promise<void> {
    this.#reader.stop()
    return Promise.resolve()
  }

  #inputOf(message: StoredMessage): Input<CapturePlace> {
    const { declaration, connection } = this.#options
    const { sequence, subject, headers, data, storedAt: time } = message
    return {
      place: { sequence, created: this.#created },
      message: () => this.#eventOf(message),
      letter: (error) => {
        const where = { at: sequence, which: this.#which, subject, time, headers: [...headers.entries()], data }
        return letterOfInput(declaration.name, where, error, connection.server.maxPayload)
      },
    }
  }

  #eventOf({ sequence, subject, headers, data, storedAt }: StoredMessage): WireMessage | undefined {
    const { map } = this.#options.declaration
    // an id that the publisher has given to its message is that of the event
    const id = headers.get('Nats-Msg-Id') ?? `${this.#which}-${sequence}`
    const defaults = { id, time: storedAt }
    const text = (): string => textOf(data)
    const json = (): unknown => parseInput(text())
    if (map === undefined) {
      const isEvent = headers.get('ce-type') !== undefined || STRUCTURED.test(headers.get('content-type') ?? '')
      return isEvent ? this.#messages.ofMessage(headers, data, defaults) : this.#messages.ofRecord(json(), defaults)
    }
    const header = (name: string): string | undefined => headers.get(name)
    const captured: CapturedMessage = { subject, data, text, json, header, capturedAt: storedAt }
    let draft
    try {
      draft = map(captured)
    } catch (error) {
      throw asInputFault(error)
    }
    return draft === undefined ? undefined : this.#messages.ofDraft(draft, defaults)
  }
}
