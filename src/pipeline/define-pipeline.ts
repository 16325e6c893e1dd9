import type { Observable } from 'rxjs'
import type { EventContract, EventOf } from '../event/contract.js'
import type { EventDraft, StoredEvent } from '../event/event.js'
import { fault } from '../error/millrace-error.js'

// oxlint-disable-next-line typescript/no-explicit-any -- a list of contracts of any types
type Contracts = readonly EventContract<string, any>[]

/** The events of a list of contracts, as they come from the stream. */
export type InputOf<List extends Contracts> = EventOf<List[number]> & StoredEvent

/** How a pipeline is brought back after a crash. A closed set. */
export type PipelineRecovery = {
  /** Each event’s outputs follow from the event alone: nothing has to be rebuilt. */
  readonly mode: 'stateless'
}

export interface PipelineOptions<Inputs extends Contracts> {
  /** Unique in the deployment; letters, digits, _ and -. Part of the ids of its outputs: do not rename lightly. */
  readonly name: string
  /** Raise it when the code changes what comes out. */
  readonly version: number
  readonly from: { readonly stream: string; readonly events: Inputs }
  readonly to: { readonly stream: string; readonly events: Contracts }
  /** The unit of order, where it is not the event’s own key. */
  readonly keyBy?: (event: InputOf<Inputs>) => string
  readonly recovery: PipelineRecovery
  /** Standard RxJS from events to what the output contracts make. Called once for each start of the pipeline. */
  readonly pipeline: (events$: Observable<InputOf<Inputs>>) => Observable<EventDraft>
}

/** A declared pipeline, as discovery finds it. */
export interface PipelineDeclaration {
  readonly kind: 'pipeline'
  readonly name: string
  readonly version: number
  readonly from: { readonly stream: string; readonly events: Contracts }
  readonly to: { readonly stream: string; readonly events: Contracts }
  readonly keyBy: ((event: StoredEvent) => string) | undefined
  readonly recovery: PipelineRecovery
  readonly build: (events$: Observable<StoredEvent>) => Observable<EventDraft>
}

/**
 * Declares a pipeline: plain RxJS over the events of a stream. Its outputs are stored together with its position, so
 * that a crash at any point neither loses nor repeats one.
 * @throws PIPELINE_INVALID
 */
export function definePipeline<const Inputs extends Contracts>(options: PipelineOptions<Inputs>): PipelineDeclaration {
  const { name, version, from, to, recovery } = options
  const invalid = (detail: string): never => {
    throw fault('PIPELINE_INVALID', `${name}: ${detail}`)
  }
  if (!/^[A-Za-z0-9_-]{1,64}$/.test(name)) invalid('name may have letters, digits, _ and -, at most 64')
  if (!Number.isInteger(version) || version < 1) invalid(`version ${version} must be a whole number from 1`)
  if (from.events.length === 0) invalid('from.events is empty')
  if (to.events.length === 0) invalid('to.events is empty')
  if (recovery.mode !== 'stateless') invalid(`recovery mode ${JSON.stringify(recovery.mode)} is not known: stateless`)
  const loops = from.stream === to.stream ? from.events.filter((contract) => to.events.includes(contract)) : []
  if (loops.length > 0) invalid(`it puts out what it reads: ${loops.map(({ type }) => type).join(', ')}`)
  return Object.freeze({
    kind: 'pipeline',
    name,
    version,
    from,
    to,
    recovery,
    keyBy: options.keyBy as ((event: StoredEvent) => string) | undefined,
    build: options.pipeline as unknown as (events$: Observable<StoredEvent>) => Observable<EventDraft>,
  })
}
