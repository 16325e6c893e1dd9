import { fault } from '../error/millrace-error.js'
import type { EventContract } from '../event/contract.js'
import type { StoredEvent } from '../event/event.js'
import { parseDuration } from '../time/duration.js'
import type { HandlerDeclaration, HandlerOptions, ManyOptions, SingleOptions } from './handler-options.js'
import { readEmits, readLanes } from './handler-parts.js'
import { retry, type RecoveryPolicy } from './recovery.js'
import { compileWhere } from './where.js'

const NAME = /^[A-Za-z0-9_-]{1,64}$/
/** A server takes less for a sign of death, but not without false ones. */
const SHORTEST_ACK_WAIT = 500
const SECONDS = 30_000

/**
 * Declares a handler: what has an effect outside of the log for each event of some types, such as a mail, a payment or a
 * call. Its events are shared by all processes that run it; each is handled at least once, whatever crashes, with the
 * same `idempotencyKey` each time, so that the effect can be made once. What fails is repeated later by its policy,
 * and what fails for good is a dead letter.
 *
 * @example
 * defineHandler({
 *   name: 'notify',
 *   on: { stream: 'PAYMENTS', events: [PaymentCaptured], where: 'data.amount > 100' },
 *   handle: async (event, { signal, idempotencyKey }) => {
 *     await send(event.data, { signal, headers: { 'Idempotency-Key': idempotencyKey } })
 *   },
 *   recovery: retry({ attempts: 8, backoff: fullJitter('200ms', '5m') }),
 * })
 * @throws HANDLER_INVALID, HANDLER_LOOPS, DURATION_INVALID
 */
export function defineHandler<const Events extends readonly EventContract[]>(
  options: ManyOptions<Events>,
): HandlerDeclaration
export function defineHandler<const Events extends readonly EventContract[]>(
  options: SingleOptions<Events>,
): HandlerDeclaration
export function defineHandler(options: HandlerOptions<readonly EventContract[]>): HandlerDeclaration {
  if (typeof options !== 'object' || options === null) throw fault('HANDLER_INVALID', 'defineHandler takes an object')
  const { name, version = 1, on, order = 'none', recovery = retry(), classify } = options
  const invalid = (detail: string): never => {
    throw fault('HANDLER_INVALID', `${name}: ${detail}`)
  }
  if (typeof name !== 'string' || !NAME.test(name)) invalid('name may have letters, digits, _ and -, at most 64')
  if (!isCount(version)) invalid(`version ${version} must be a whole number from 1`)
  if (typeof on?.stream !== 'string') invalid('on.stream is missing')
  if (!Array.isArray(on.events) || on.events.length === 0) invalid('on.events is empty')
  for (const [at, contract] of on.events.entries())
    if (typeof contract?.type !== 'string') invalid(`on.events[${at}] is no contract`)
  if (order !== 'none' && order !== 'key') invalid(`order ${JSON.stringify(order)} is not known`)
  if (classify !== undefined && typeof classify !== 'function') invalid('classify is no function')
  requireRecovery(recovery, order, invalid)
  const { mostDeliveries = 500, from = 'first' } = { ...options, ...on }
  if (!isCount(mostDeliveries) || mostDeliveries < 5) invalid(`mostDeliveries ${mostDeliveries} must be 5 or more`)
  if (from !== 'first' && from !== 'new') invalid(`on.from ${JSON.stringify(from)} is not known`)
  const ackWait = parseDuration(options.ackWait ?? SECONDS)
  const timeout = parseDuration(options.timeout ?? SECONDS)
  if (ackWait < SHORTEST_ACK_WAIT) invalid(`ackWait ${ackWait} ms is below ${SHORTEST_ACK_WAIT} ms`)
  if (timeout <= 0) invalid('timeout must be above 0')
  if (order === 'key') requireOrdered(options, invalid)
  const types = new Set(on.events.map(({ type }) => type))
  const where = on.where === undefined ? undefined : compileWhere(name, on.where, on.events)
  return Object.freeze<HandlerDeclaration>({
    kind: 'handler',
    name,
    version,
    on: { stream: on.stream, events: Object.freeze([...on.events]), where: on.where, from },
    run: readRun(options as unknown as AnyOptions, invalid),
    concurrency: readConcurrency(options.concurrency, options.batch?.most, invalid),
    order,
    timeout,
    ackWait,
    recovery,
    classify,
    emits: readEmits(name, on, options.emits),
    uses: Object.freeze([...(options.uses ?? [])]),
    rate: readRate(options.rate, invalid),
    idempotent: options.idempotent,
    lanes: readLanes(name, on.events, options.lanes),
    mostDeliveries,
    wants: (event: StoredEvent) => types.has(event.type) && (where === undefined || where(event)),
  })
}

type AnyOptions = SingleOptions<readonly EventContract[]> | ManyOptions<readonly EventContract[]>
type Invalid = (detail: string) => never

/** What means nothing where the kernel runs the handler. */
function requireOrdered(
  { lanes, concurrency, mostDeliveries }: HandlerOptions<readonly EventContract[]>,
  invalid: Invalid,
) {
  const ordered = "handlers with order: 'key'"
  if (lanes !== undefined) invalid(`lanes are not for ${ordered}: an urgent event would overtake those of its key`)
  if (typeof concurrency === 'object' && concurrency.total !== undefined)
    invalid(`concurrency.total is not for ${ordered}: each process has its own units`)
  if (mostDeliveries !== undefined) invalid(`mostDeliveries is not for ${ordered}: the server delivers them once`)
}

function requireRecovery(policy: RecoveryPolicy, order: 'none' | 'key', invalid: Invalid): void {
  const last = policy?.kind === 'retry' ? policy.last : policy
  if (!['dead-letter', 'park', 'crash'].includes(last?.kind)) invalid('recovery is no policy: retry(), deadLetter(), …')
  if (last.kind === 'park' && order !== 'key') invalid("park() is for handlers with order: 'key'")
}

function readRun(options: AnyOptions, invalid: Invalid): HandlerDeclaration['run'] {
  if (typeof options.handle !== 'function') invalid('handle is missing')
  if (options.batch === undefined)
    return { kind: 'single', handle: options.handle as (event: StoredEvent, context: unknown) => unknown }
  const { most, within = 50, adaptive = true } = options.batch
  if (!isCount(most) || most > 10_000) invalid(`batch.most ${most} must be a whole number from 1 to 10000`)
  // which event of a batch an emitted one comes from would not be the same in the next attempt
  if (options.emits !== undefined) invalid('batch is not for handlers that emit')
  if (options.order === 'key') invalid("batch is not for handlers with order: 'key'")
  const handle = options.handle as (events: readonly StoredEvent[], context: unknown) => unknown
  return { kind: 'batch', most, within: parseDuration(within), adaptive, handle }
}

const WORKER = 16
const TOTAL = 1_024

function readConcurrency(
  given: HandlerOptions<readonly EventContract[]>['concurrency'],
  most: number | undefined,
  invalid: Invalid,
): HandlerDeclaration['concurrency'] {
  // one batch runs, and the next is gathered
  const usual = most === undefined ? WORKER : 2 * most
  const { worker, total } = typeof given === 'object' ? given : { worker: given ?? usual, total: undefined }
  if (most !== undefined && worker < most) invalid(`concurrency ${worker} is less than batch.most ${most}`)
  if (!isCount(worker) || worker > 65_536) invalid(`concurrency ${worker} must be a whole number from 1 to 65536`)
  const all = total ?? Math.max(TOTAL, worker * 16)
  if (!isCount(all)) invalid(`concurrency.total ${all} must be a whole number from 1`)
  return { worker, total: all }
}

function readRate(
  given: HandlerOptions<readonly EventContract[]>['rate'],
  invalid: Invalid,
): HandlerDeclaration['rate'] {
  if (given === undefined) return undefined
  if (!isCount(given.limit)) invalid(`rate.limit ${given.limit} must be a whole number from 1`)
  const per = parseDuration(given.per)
  if (per <= 0) invalid('rate.per must be above 0')
  return { limit: given.limit, per, key: given.key }
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 1
}
