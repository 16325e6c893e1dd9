import { fault } from '../../error/millrace-error.js'
import type { DraftOf, EventContract } from '../../event/contract.js'
import type { EventDraft } from '../../event/event.js'
import { parseDuration } from '../../time/duration.js'
import { readTarget, type SourceTarget } from '../source/source-options.js'

/** A message that was captured. */
export interface CapturedMessage {
  readonly subject: string
  readonly data: Uint8Array
  /** @throws SOURCE_INPUT_INVALID it is not UTF-8 */
  text(): string
  /** @throws SOURCE_INPUT_INVALID it is not JSON */
  json(): unknown
  header(name: string): string | undefined
  /** In ms since the Unix epoch. */
  readonly capturedAt: number
}

export interface SubjectSourceOptions<Events extends readonly EventContract[]> extends SourceTarget<Events> {
  /** Subjects of NATS that others publish to, such as `sensors.>`; a topic `sensors/a` of MQTT is `sensors.a`. */
  readonly subjects: readonly string[]
  /** The event of a message; undefined: none. Default: JSON that is an event, or the data of the one type of event. */
  readonly map?: (message: CapturedMessage) => DraftOf<Events[number]> | undefined
  /** How long messages are kept as they came. Default 1 d. */
  readonly keep?: string | number
}

/** A declared source. */
export interface SubjectSourceDeclaration extends SourceTarget {
  readonly kind: 'subject-source'
  readonly subjects: readonly string[]
  readonly map: ((message: CapturedMessage) => EventDraft | undefined) | undefined
  /** In ms. */
  readonly keep: number
}

const TOKEN = /^[^\s.*>]+$/

/**
 * Declares a source: messages that others publish to subjects of NATS, or to topics of MQTT, as events of a stream. The server
 * captures them in a stream of their own, whether a process runs or not.
 *
 * @example
 * export default defineSubjectSource({
 *   name: 'sensors', to: { stream: 'PLANT', events: [Measured] }, subjects: ['sensors.>'],
 *   map: (message) => Measured({ sensor: message.subject.split('.')[1], n: Number(message.text()) }),
 * })
 * @throws SOURCE_INVALID, DURATION_INVALID
 */
export function defineSubjectSource<const Events extends readonly EventContract[]>(
  options: SubjectSourceOptions<Events>,
): SubjectSourceDeclaration {
  const target = readTarget(options)
  const { subjects, map } = options
  const invalid = (detail: string): never => {
    throw fault('SOURCE_INVALID', `${target.name}: ${detail}`)
  }
  if (!Array.isArray(subjects) || subjects.length === 0) invalid('subjects is empty')
  for (const subject of subjects as readonly string[]) {
    const tokens = String(subject).split('.')
    const isPlain = tokens.every(
      (one, at) => TOKEN.test(one) || one === '*' || (one === '>' && at === tokens.length - 1),
    )
    if (!isPlain) invalid(`${JSON.stringify(subject)} is no subject`)
    if (['millrace', '>', '*'].includes(tokens[0] ?? '') || tokens[0]?.startsWith('$') === true)
      invalid(`${subject} has subjects of Millrace or the server among it`)
  }
  const keep = parseDuration(options.keep ?? '1d')
  if (keep < 1_000) invalid('keep is below a second')
  const declared = { ...target, subjects: Object.freeze([...subjects]), keep }
  return Object.freeze<SubjectSourceDeclaration>({
    kind: 'subject-source',
    ...declared,
    map: map as SubjectSourceDeclaration['map'],
  })
}
