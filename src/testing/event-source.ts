import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { StoredMessage } from '../broker/stored-message.js'
import { fault, messageOf } from '../error/millrace-error.js'
import { completeDraft } from '../event/complete.js'
import { encodeEvent } from '../event/encode.js'
import type { EventDraft } from '../event/event.js'
import { asStored } from '../replay/kept-message.js'
import { readRecording, storedSubject } from '../replay/read-recording.js'
import type { SubjectUnderTest } from './subject-under-test.js'

/** Makes the messages of a stream of what a test gives. */
export class EventSource {
  readonly #subject: SubjectUnderTest
  #sequence = 0

  constructor(subject: SubjectUnderTest) {
    this.#subject = subject
  }

  /** @throws TEST_INVALID it does not read events of this type */
  require(type: string): string {
    const { inputOf, processor } = this.#subject
    const input = typeof type === 'string' ? inputOf(type) : undefined
    if (input !== undefined) return input
    const read = processor.from.types?.join(', ') ?? 'everything'
    throw fault(
      'TEST_INVALID',
      `${processor.name} does not read ${JSON.stringify(type) ?? 'what is no event'}; it reads ${read}`,
    )
  }

  /** An event that is stored now. @param now in ms since 1970 */
  stored(draft: EventDraft, now: number): StoredMessage {
    const input = this.require(draft.type)
    this.#sequence += 1
    const event = completeDraft(draft, { id: `event-${this.#sequence}`, source: '/test', time: now })
    const subject = storedSubject(this.#subject.processor.from.stream, event, input)
    return asStored({ subject, ...encodeEvent(event) }, this.#sequence, now)
  }

  /**
   * The messages of a recording. Where nothing was given before they keep their sequences, so that outputs have the ids
   * that they have live.
   * @throws INPUT_UNREADABLE, INPUT_REJECTED
   */
  recorded(file: string | URL, now: number): readonly StoredMessage[] {
    const path = typeof file === 'string' ? file : fileURLToPath(file)
    const { processor, registry } = this.#subject
    const { stream, types } = processor.from
    const { messages, rejected } = readRecording(read(path), { stream, types, registry, time: now }, path)
    if (rejected.length > 0) throw fault('INPUT_REJECTED', `${rejected.length} lines of ${path}`, { issues: rejected })
    if (this.#sequence === 0) {
      this.#sequence = messages.at(-1)?.sequence ?? 0
      return messages
    }
    return messages.map((message) => ({ ...message, sequence: (this.#sequence += 1) }))
  }
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    throw fault('INPUT_UNREADABLE', messageOf(error), { cause: error })
  }
}
