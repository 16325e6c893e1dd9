import type { Observable } from 'rxjs'
import type { EventOf } from '../event/contract.js'
import type { EventDraft, StoredEvent } from '../event/event.js'
import { fault } from '../error/millrace-error.js'
import { readOnError, type OnError } from './on-error.js'
import type { PipelineContext } from './pipeline-context.js'
import { checkPorts, type CheckedPorts, type Contracts, type ContractsOf } from './pipeline-ports.js'
import type { PipelinePort, PipelinePorts } from './pipeline-ports.js'
import { readRecovery, type PipelineRecovery, type Recovery } from './pipeline-recovery.js'
import { readTime, type PipelineTime, type TimeSource } from './pipeline-time.js'

/** The events of a list of contracts, as they come from the stream. */
export type InputOf<List extends Contracts> = EventOf<List[number]> & StoredEvent

export interface PipelineOptions<Inputs extends Contracts, From extends PipelinePorts = PipelinePort<Inputs>> {
  /** Unique in the deployment; letters, digits, _ and -. Part of the ids of its outputs: do not rename lightly. */
  readonly name: string
  /** Raise it when the code changes what comes out. */
  readonly version: number
  /**
   * What it reads. Several streams are merged in an order that is decided once and stored, so that a replay, and a
   * recovery after a crash, meet the same one. Events of a key keep the order that they have in their stream.
   */
  readonly from: From
  /**
   * What it puts out; the type of an event says which stream it goes to. The first stream has the events together with
   * the position, the others a moment later: each event once and in order.
   */
  readonly to: PipelinePorts
  /** What state belongs to. Default: the event’s own key. See `spread` for one that is not. */
  readonly keyBy?: (event: InputOf<Inputs>) => string
  /**
   * `keys` (default): each partition is handled for itself, in as many processes as there are. The events of a key must
   * lie in one partition then, so `keyBy` has to give the key under which they were published (KEY_NOT_OF_PARTITION).
   * `one`: every event comes in one order to one process, and `keyBy` may be anything.
   */
  readonly spread?: 'keys' | 'one'
  /** Default: `slots` with `keyBy`, `stateless` without, which has neither state nor `ctx.step`. */
  readonly recovery?: PipelineRecovery
  /** Default `ingestion`. */
  readonly time?: PipelineTime<InputOf<Inputs>>
  /**
   * What becomes of an event whose handling fails. `dead-letter` (default): it is kept as one, and its key begins anew
   * with its next event. `park`: its key waits with all later events until they are redriven, and begins anew with the
   * one that failed (docs/decisions/0011). `stop`: the pipeline stops before it (PIPELINE_FAILED).
   */
  readonly onError?: OnError
  /**
   * What becomes of the state when `version` was raised. Without it such a pipeline does not start (VERSION_CHANGED).
   *
   * - `{ drain: former }`: what is open ends under the former code, which is declared beside this one and not run
   *   otherwise: time passes for it without events until every key is idle. Mode slots.
   * - `rebuild`: the state is made anew from the beginning of the log, putting nothing out, beside processes that still
   *   run the former code; then it takes over at one sequence.
   * - `cut`: it begins with empty state where the former code was.
   * - `keep`: mode checkpoint: the state is read as it is, by operators that are still in their places.
   */
  readonly upgrade?: 'rebuild' | 'cut' | 'keep' | { readonly drain: PipelineDeclaration }
  /**
   * Standard RxJS from events to what the output contracts make. Called for each key when its slot begins; in stateless
   * mode once for all keys.
   */
  readonly pipeline: (events$: Observable<InputOf<Inputs>>, ctx: PipelineContext) => Observable<EventDraft>
}

/** A declared pipeline, as discovery finds it. */
export interface PipelineDeclaration extends CheckedPorts {
  readonly kind: 'pipeline'
  readonly name: string
  readonly version: number
  readonly keyBy: ((event: StoredEvent) => string) | undefined
  readonly spread: 'keys' | 'one'
  readonly recovery: Recovery
  readonly time: TimeSource
  readonly onError: OnError
  readonly upgrade: 'refuse' | 'rebuild' | 'cut' | 'keep' | { readonly drain: PipelineDeclaration }
  readonly build: (events$: Observable<StoredEvent>, ctx: PipelineContext) => Observable<EventDraft>
}

/**
 * Declares a pipeline: plain RxJS over the events of a stream. Its outputs are stored together with its position, so
 * that a crash at any point neither loses nor repeats one.
 *
 * @example
 * definePipeline({
 *   name: 'velocity', version: 1,
 *   from: { stream: 'PAYMENTS', events: [Authorized] }, to: { stream: 'PAYMENTS', events: [Hasty] },
 *   keyBy: (e) => e.data.cardId,
 *   pipeline: (payments$) => payments$.pipe(
 *     bufferTime(60_000),
 *     filter((batch) => batch.length > 5),
 *     map((batch) => Hasty({ cardId: batch[0].data.cardId, count: batch.length })),
 *   ),
 * })
 * @throws PIPELINE_INVALID, DURATION_INVALID
 */
export function definePipeline<const From extends PipelinePorts>(
  options: PipelineOptions<ContractsOf<From>, From>,
): PipelineDeclaration {
  const { name, version, spread = 'keys' } = options
  const invalid = (detail: string): never => {
    throw fault('PIPELINE_INVALID', `${name}: ${detail}`)
  }
  if (!/^[A-Za-z0-9_-]{1,64}$/.test(name)) invalid('name may have letters, digits, _ and -, at most 64')
  if (!Number.isInteger(version) || version < 1) invalid(`version ${version} must be a whole number from 1`)
  const ports = checkPorts(name, options.from, options.to)
  if (spread !== 'keys' && spread !== 'one') invalid(`spread ${JSON.stringify(spread)} is not known: keys, one`)
  if (typeof options.pipeline !== 'function') invalid('pipeline is missing')
  const recovery = readRecovery(name, options.recovery, options.keyBy !== undefined)
  const time = readTime(name, options.time as PipelineTime<StoredEvent> | undefined)
  if (recovery.mode === 'stateless' && time.kind === 'own')
    invalid('time needs recovery mode slots: without state nothing can wait for late events')
  const upgrade = checkUpgrade(name, version, recovery.mode, options.upgrade)
  return Object.freeze({
    kind: 'pipeline',
    name,
    version,
    ...ports,
    keyBy: options.keyBy as ((event: StoredEvent) => string) | undefined,
    spread,
    recovery,
    time,
    onError: readOnError(name, options.onError, time),
    upgrade,
    build: options.pipeline as unknown as PipelineDeclaration['build'],
  })
}

/** @throws PIPELINE_INVALID */
function checkUpgrade(
  name: string,
  version: number,
  mode: Recovery['mode'],
  upgrade: PipelineOptions<Contracts>['upgrade'],
): PipelineDeclaration['upgrade'] {
  if (upgrade === undefined) return mode === 'stateless' ? 'keep' : 'refuse'
  if (typeof upgrade === 'string') {
    if (!['rebuild', 'cut', 'keep'].includes(upgrade))
      throw fault(
        'PIPELINE_INVALID',
        `${name}: upgrade ${JSON.stringify(upgrade)} is not known: rebuild, cut, keep, { drain }`,
      )
    if (upgrade === 'keep' && mode === 'slots')
      throw fault('PIPELINE_INVALID', `${name}: upgrade keep: the state of slots cannot be read by other code`)
    return upgrade
  }
  const { drain } = upgrade
  if (mode !== 'slots' || drain?.kind !== 'pipeline' || drain.recovery.mode !== 'slots')
    throw fault('PIPELINE_INVALID', `${name}: upgrade drain needs the former declaration, both in mode slots`)
  if (drain.name !== name || drain.version >= version)
    throw fault(
      'PIPELINE_INVALID',
      `${name}: upgrade drain needs version ${version - 1} or earlier of the same pipeline`,
    )
  return upgrade
}
