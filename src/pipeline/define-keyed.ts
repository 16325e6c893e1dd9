import { fault } from '../error/millrace-error.js'
import type { DraftOf } from '../event/contract.js'
import type { StoredEvent } from '../event/event.js'
import type { Upgrade } from '../kernel/processor-policies.js'
import type { InputOf } from './define-pipeline.js'
import type { KeyedContext } from './keyed/keyed-context.js'
import { checkPorts, type CheckedPorts, type ContractsOf, type PipelinePorts } from './pipeline-ports.js'
import { readOnError, type OnError } from './on-error.js'
import { readTime, type PipelineTime, type TimeSource } from './pipeline-time.js'

/** What checks a state: a zod schema, or anything that answers like one. */
export interface StateSchema<State> {
  safeParse(data: unknown):
    | { readonly success: true; readonly data: State }
    | {
        readonly success: false
        readonly error: { readonly issues: readonly { path: PropertyKey[]; message: string }[] }
      }
}

export interface KeyedOptions<From extends PipelinePorts, To extends PipelinePorts, State, Seen> {
  /** Unique among pipelines; letters, digits, _ and -. Part of the ids of its outputs: do not rename lightly. */
  readonly name: string
  /** Raise it when the code changes what comes out or what the state looks like. Stored with each state. */
  readonly version: number
  /** What it reads, as of a pipeline: one stream, or several that are merged. */
  readonly from: From
  /** What it puts out, as of a pipeline. `packed`: many events may share a message; see PipelinePort. */
  readonly to: To
  /** What state belongs to. Default: the event’s own key. See `spread` for one that is not. */
  readonly keyBy?: (event: InputOf<ContractsOf<From>>) => string
  /**
   * `keys` (default): each partition is handled for itself, in as many processes as there are. The events of a key must
   * lie in one partition then, so `keyBy` has to give the key under which they were published (KEY_NOT_OF_PARTITION).
   * `one`: every event comes in one order to one process, and `keyBy` may be anything.
   */
  readonly spread?: 'keys' | 'one'
  /** Default `ingestion`. */
  readonly time?: PipelineTime<InputOf<ContractsOf<From>>>
  /**
   * The shape of a state, checked when it is read back after a restart. Without `init`, a key that was not seen yet or
   * was cleared has the state undefined.
   */
  readonly state?: StateSchema<State>
  /** Makes the state of a key that has none. */
  readonly init?: (key: string) => State
  /** Handles an event. What it throws undoes what it did, and the event becomes a dead letter. */
  readonly onEvent: (
    context: KeyedContext<Seen, DraftOf<ContractsOf<To>[number]>>,
    event: InputOf<ContractsOf<From>>,
  ) => void
  /** Handles a timer. */
  readonly onTimer?: (context: KeyedContext<Seen, DraftOf<ContractsOf<To>[number]>>, name: string) => void
  /** Brings the state that an earlier version stored to this one. Without it such a state has to fit `state` as it is. */
  readonly migrate?: (state: unknown, fromVersion: number) => State
  /** What happens when `version` was raised. Default `keep`: with `migrate`, or as the state is. */
  readonly upgrade?: Upgrade
  /**
   * What becomes of an event at which `onEvent` fails, which undoes what it did. `dead-letter` (default): it is kept as
   * one, and its key goes on without it. `park`: its key waits with all later events until they are redriven, in order;
   * other keys go on, and so do timers of this one (docs/decisions/0011). `stop`: the pipeline stops before it
   * (POISON_STOPPED). A timer that fails is a dead letter whatever this says.
   */
  readonly onError?: OnError
}

/** A declared keyed pipeline, as discovery finds it. */
export interface KeyedDeclaration extends CheckedPorts {
  readonly kind: 'keyed'
  readonly name: string
  readonly version: number
  readonly spread: 'keys' | 'one'
  readonly time: TimeSource
  readonly keyBy: ((event: StoredEvent) => string) | undefined
  readonly schema: StateSchema<unknown> | undefined
  readonly init: ((key: string) => unknown) | undefined
  readonly onEvent: (context: KeyedContext<unknown>, event: StoredEvent) => unknown
  readonly onTimer: ((context: KeyedContext<unknown>, name: string) => unknown) | undefined
  readonly migrate: ((state: unknown, fromVersion: number) => unknown) | undefined
  readonly upgrade: Upgrade
  readonly onError: OnError
}

/**
 * Declares a state by key with named timers, in place of operators: the way to have windows and processes of many keys
 * with a few bytes for each, and a recovery that reads the states instead of the log. What changed is stored together
 * with the outputs and the position, so that a crash at any point neither loses nor repeats an event.
 *
 * @example
 * defineKeyed({
 *   name: 'count', version: 1,
 *   from: { stream: 'PAYMENTS', events: [Authorized] }, to: { stream: 'PAYMENTS', events: [Counted] },
 *   state: z.object({ count: z.number() }),
 *   onEvent(c) {
 *     if (c.state === undefined) c.timer('end', c.now + 60_000)
 *     c.state = { count: (c.state?.count ?? 0) + 1 }
 *   },
 *   onTimer(c) {
 *     c.emit(Counted({ cardId: c.key, count: c.state?.count ?? 0 }))
 *     c.clear()
 *   },
 * })
 * @throws PIPELINE_INVALID
 */
export function defineKeyed<const From extends PipelinePorts, const To extends PipelinePorts, State>(
  options: KeyedOptions<From, To, State, State> & { readonly init: (key: string) => State },
): KeyedDeclaration
export function defineKeyed<const From extends PipelinePorts, const To extends PipelinePorts, State = unknown>(
  options: KeyedOptions<From, To, State, State | undefined> & { readonly init?: undefined },
): KeyedDeclaration
export function defineKeyed(options: unknown): KeyedDeclaration {
  const declared = options as KeyedOptions<PipelinePorts, PipelinePorts, unknown, unknown>
  const { name, version, keyBy, spread = 'keys', time, init, state: schema } = declared
  const invalid = (detail: string): never => {
    throw fault('PIPELINE_INVALID', `${name}: ${detail}`)
  }
  if (!/^[A-Za-z0-9_-]{1,64}$/.test(name)) invalid('name may have letters, digits, _ and -, at most 64')
  if (!Number.isInteger(version) || version < 1) invalid(`version ${version} must be a whole number from 1`)
  const ports = checkPorts(name, declared.from, declared.to)
  if (spread !== 'keys' && spread !== 'one') invalid(`spread ${JSON.stringify(spread)} is not known: keys, one`)
  if (typeof declared.onEvent !== 'function') invalid('onEvent is missing')
  const timeSource = readTime(name, time as PipelineTime<StoredEvent> | undefined)
  return Object.freeze({
    kind: 'keyed',
    name,
    version,
    ...ports,
    spread,
    time: timeSource,
    keyBy: keyBy as ((event: StoredEvent) => string) | undefined,
    schema,
    init,
    onEvent: declared.onEvent as unknown as KeyedDeclaration['onEvent'],
    onTimer: declared.onTimer as unknown as KeyedDeclaration['onTimer'],
    migrate: declared.migrate,
    upgrade: declared.upgrade ?? 'keep',
    onError: readOnError(name, declared.onError, timeSource),
  })
}
