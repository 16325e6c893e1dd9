import { fault } from '../../error/millrace-error.js'
import type { DraftOf, EventContract } from '../../event/contract.js'
import type { EventDraft } from '../../event/event.js'
import { parseDuration } from '../../time/duration.js'
import { readTarget, type SourceTarget } from '../source/source-options.js'

export interface FileSourceOptions<Events extends readonly EventContract[]> extends SourceTarget<Events> {
  /** The file; others may append to it, rename it and begin a new one, or empty it. */
  readonly file: string
  /** `ndjson`: JSON in each line. `csv`: RFC 4180. `lines`: text, for `map`. Default ndjson. */
  readonly format?: 'ndjson' | 'csv' | 'lines'
  readonly csv?: {
    /** Default `,`. */
    readonly separator?: string
    /** Names of the columns. Default: the first line of each file has them. */
    readonly columns?: readonly string[]
  }
  /**
   * The event of a record: of JSON, of `{ column: text }`, or of a text; undefined: none. Default: JSON that is an event,
   * or the data of the one type of event.
   */
  readonly map?: (record: never) => DraftOf<Events[number]> | undefined
  /** How often to look for more, in ms or like `250ms`. Default 250 ms. */
  readonly poll?: string | number
  /** Longest line, in bytes; a longer one is a dead letter. Default 1 MiB. */
  readonly longest?: number
}

/** A declared source. */
export interface FileSourceDeclaration extends SourceTarget {
  readonly kind: 'file-source'
  readonly file: string
  readonly format: 'ndjson' | 'csv' | 'lines'
  readonly separator: string
  readonly columns: readonly string[] | undefined
  readonly map: ((record: unknown) => EventDraft | undefined) | undefined
  /** In ms. */
  readonly poll: number
  readonly longest: number
}

const LONGEST = 1024 * 1024

/**
 * Declares a source: lines that are appended to a file, as events of a stream, each once and in order. Where it is, it knows
 * after a crash, a rotation and both.
 *
 * @example
 * export default defineFileSource({
 *   name: 'sensors', to: { stream: 'PLANT', events: [Measured] }, file: '/var/log/sensors.csv', format: 'csv',
 *   map: (row: { sensor: string; n: string }) => Measured({ sensor: row.sensor, n: Number(row.n) }),
 * })
 * @throws SOURCE_INVALID, DURATION_INVALID
 */
export function defineFileSource<const Events extends readonly EventContract[]>(
  options: FileSourceOptions<Events>,
): FileSourceDeclaration {
  const target = readTarget(options)
  const { file, format = 'ndjson', csv = {}, map, longest = LONGEST } = options
  const invalid = (detail: string): never => {
    throw fault('SOURCE_INVALID', `${target.name}: ${detail}`)
  }
  if (typeof file !== 'string' || file === '') invalid('file is missing')
  if (!['ndjson', 'csv', 'lines'].includes(format)) invalid(`format ${JSON.stringify(format)} is not known`)
  const { separator = ',', columns } = csv
  if (separator.length !== 1 || /["\r\n]/.test(separator)) invalid(`csv.separator ${JSON.stringify(separator)}`)
  if (columns !== undefined && columns.length === 0) invalid('csv.columns is empty')
  if (map === undefined && format !== 'ndjson' && target.to.events.length !== 1)
    invalid('without `map` there is one type of event')
  if (map === undefined && format === 'lines') invalid('lines need `map`')
  if (!Number.isSafeInteger(longest) || longest < 1) invalid(`longest ${longest} must be a whole number from 1`)
  const poll = parseDuration(options.poll ?? '250ms')
  if (poll <= 0) invalid('poll must be above 0')
  return Object.freeze<FileSourceDeclaration>({
    kind: 'file-source',
    ...target,
    file,
    format,
    separator,
    columns,
    map: map as FileSourceDeclaration['map'],
    poll,
    longest,
  })
}
