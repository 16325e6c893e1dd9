import { fault } from '../error/millrace-error.js'
import type { EventContract } from '../event/contract.js'
import { parseDuration } from '../time/duration.js'
import type { ViewDeclaration, ViewOptions } from './view-options.js'

const NAME = /^[A-Za-z0-9_-]{1,64}$/
const TABLE = /^[a-z_][a-z0-9_]{0,39}$/
const KEEP_FORMER = '1h'
const ROWS = 10_000

/**
 * Declares a view: rows that are made of events, one for each key, in a key-value bucket where anybody can read them. A
 * row is what `fold` makes of the events of its key in the order of the log, each once, whatever crashes.
 *
 * @example
 * defineView({
 *   name: 'open-orders', version: 1,
 *   from: { stream: 'ORDERS', events: [OrderPlaced, OrderPaid] },
 *   fold: (row: { total: number } | undefined, event) =>
 *     event.type === 'order.placed' ? { total: event.data.total } : null,
 *   to: { bucket: 'OPEN_ORDERS' },
 * })
 * @throws VIEW_INVALID, DURATION_INVALID
 */
export function defineView<Row, const Events extends readonly EventContract[]>(
  options: ViewOptions<Row, Events>,
): ViewDeclaration<Row> {
  const given = options as unknown as ViewOptions<Row, readonly EventContract[]>
  if (typeof given !== 'object' || given === null) throw fault('VIEW_INVALID', 'defineView takes an object')
  const { name, version, from, key, initial, fold, to, onError = 'dead-letter', memory, keepFormer } = given
  const invalid = (detail: string): never => {
    throw fault('VIEW_INVALID', `${name}: ${detail}`)
  }
  if (typeof name !== 'string' || !NAME.test(name)) invalid('name may have letters, digits, _ and -, at most 64')
  if (/_v\d+$/.test(name)) invalid('name ends as a version does; the version has a place of its own')
  if (!isCount(version)) invalid(`version ${version} must be a whole number from 1`)
  if (typeof from?.stream !== 'string') invalid('from.stream is missing')
  if (!Array.isArray(from.events) || from.events.length === 0) invalid('from.events is empty')
  for (const [at, contract] of from.events.entries())
    if (typeof contract?.type !== 'string') invalid(`from.events[${at}] is no contract`)
  if (typeof fold !== 'function') invalid('fold is missing')
  for (const [what, value] of Object.entries({ key, initial }))
    if (value !== undefined && typeof value !== 'function') invalid(`${what} is no function`)
  if (typeof to?.bucket !== 'string' || !NAME.test(to.bucket)) invalid('to.bucket may have letters, digits, _ and -')
  if (to.table !== undefined && !TABLE.test(to.table.name)) invalid('to.table.name may have a-z, 0-9 and _, at most 40')
  if (to.table !== undefined && typeof to.table.client !== 'function') invalid('to.table.client is no function')
  if (onError !== 'dead-letter' && onError !== 'stop') invalid(`onError ${JSON.stringify(onError)} is not known`)
  const rows = memory?.rows ?? ROWS
  if (!isCount(rows)) invalid(`memory.rows ${rows} must be a whole number from 1`)
  return Object.freeze({
    kind: 'view',
    name,
    version,
    from: { stream: from.stream, events: Object.freeze([...from.events]) },
    key: key as ViewDeclaration['key'],
    initial,
    fold: fold as unknown as ViewDeclaration<Row>['fold'],
    to: { bucket: to.bucket, ...(to.table === undefined ? {} : { table: to.table }) },
    onError,
    memory: { rows },
    keepFormer: parseDuration(keepFormer ?? KEEP_FORMER),
  })
}

function isCount(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) >= 1
}
