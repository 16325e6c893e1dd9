import { compileWhere } from '../../delivery/where.js'
import { fault } from '../../error/millrace-error.js'
import type { EventContract } from '../../event/contract.js'
import type { StoredEvent } from '../../event/event.js'
import type { SinkEvent } from '../../outbox/define-postgres-sink.js'
import { parseDuration } from '../../time/duration.js'
import { cloudEventLine } from './file-line.js'

export interface FileSinkOptions<Events extends readonly EventContract[]> {
  /** Letters, digits, _ and -, at most 64; unique among sinks. Files begin with it. */
  readonly name: string
  readonly from: {
    readonly stream: string
    readonly events: Events
    /** A condition on the event in CEL; others are passed over. */
    readonly where?: string
  }
  /** Folder that the files are in; made when it is not there. Of the process that runs it. */
  readonly directory: string
  /** When a new file is begun. Default: 64 MiB. */
  readonly rotate?: {
    readonly bytes?: number
    /** Spans of the clock by which events were stored, such as `1h` or `1d` (from midnight, UTC). */
    readonly every?: string | number
  }
  /** One line, without its end; undefined passes the event over. Must depend on the event alone. Default: CloudEvents JSON. */
  readonly line?: (event: SinkEvent<Events>) => string | undefined
  /** Most messages that are made sure of (fsync) together. Default 500. */
  readonly batch?: number
}

/** A declared file sink. */
export interface FileSinkDeclaration {
  readonly kind: 'file-sink'
  readonly name: string
  readonly from: { readonly stream: string; readonly events: readonly EventContract[] }
  readonly directory: string
  /** `every` in ms; 0: never for that reason. */
  readonly rotate: { readonly bytes: number; readonly every: number }
  readonly line: (event: StoredEvent) => string | undefined
  readonly batch: number
  wants(event: StoredEvent): boolean
}

const NAME = /^[A-Za-z0-9_-]{1,64}$/
const ROTATE_BYTES = 64 * 1024 * 1024
const BATCH = 500

/**
 * Declares a sink: events of a stream as lines of files, in order, each once. A file is a function of the log: which lines it
 * has, and where it begins and ends.
 *
 * @example
 * export default defineFileSink({
 *   name: 'archive', from: { stream: 'ORDERS', events: [OrderPlaced] }, directory: '/var/lib/shop/archive',
 *   rotate: { every: '1d' },
 * })
 * @throws SINK_INVALID, HANDLER_INVALID (`where`), DURATION_INVALID
 */
export function defineFileSink<const Events extends readonly EventContract[]>(
  options: FileSinkOptions<Events>,
): FileSinkDeclaration {
  if (typeof options !== 'object' || options === null) throw fault('SINK_INVALID', 'defineFileSink takes an object')
  const { name, from, directory, rotate = {}, line = cloudEventLine, batch = BATCH } = options
  const invalid = (detail: string): never => {
    throw fault('SINK_INVALID', `${name}: ${detail}`)
  }
  if (typeof name !== 'string' || !NAME.test(name)) invalid('name may have letters, digits, _ and -, at most 64')
  if (typeof from?.stream !== 'string') invalid('from.stream is missing')
  if (!Array.isArray(from.events) || from.events.length === 0) invalid('from.events is empty')
  if (typeof directory !== 'string' || directory === '') invalid('directory is missing')
  if (typeof line !== 'function') invalid('line is no function')
  const { bytes = ROTATE_BYTES } = rotate
  if (!Number.isSafeInteger(bytes) || bytes < 1) invalid(`rotate.bytes ${bytes} must be a whole number from 1`)
  const every = parseDuration(rotate.every ?? 0)
  if (rotate.every !== undefined && every < 1_000) invalid(`rotate.every ${every} ms is below a second`)
  if (!Number.isSafeInteger(batch) || batch < 1) invalid(`batch ${batch} must be a whole number from 1`)
  const types = new Set(from.events.map(({ type }) => type))
  const where = from.where === undefined ? undefined : compileWhere(name, from.where, from.events)
  return Object.freeze<FileSinkDeclaration>({
    kind: 'file-sink',
    name,
    from: { stream: from.stream, events: Object.freeze([...from.events]) },
    directory,
    rotate: { bytes, every },
    line: line as FileSinkDeclaration['line'],
    batch,
    wants: (event) => types.has(event.type) && (where === undefined || where(event)),
  })
}
