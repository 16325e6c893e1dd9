import type { Observable } from 'rxjs'
import type { EventOf } from '../event/contract.js'
import type { EventDraft, StoredEvent } from '../event/event.js'
import { fault } from '../error/millrace-error.js'
import { checkPorts, type CheckedPorts, type Contracts, type ContractsOf } from './pipeline-ports.js'
import type { PipelinePort, PipelinePorts } from './pipeline-ports.js'

/** The events of a list of contracts, as they come from the stream. */
export type InputOf<List extends Contracts> = EventOf<List[number]> & StoredEvent

/** How a pipeline is brought back after a crash. A closed set. */
export type PipelineRecovery = {
  /** Each event’s outputs follow from the event alone: nothing has to be rebuilt. */
  readonly mode: 'stateless'
}

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
  /** The unit of order, where it is not the event’s own key. */
  readonly keyBy?: (event: InputOf<Inputs>) => string
  readonly recovery: PipelineRecovery
  /** Standard RxJS from events to what the output contracts make. Called once for each start of the pipeline. */
  readonly pipeline: (events$: Observable<InputOf<Inputs>>) => Observable<EventDraft>
}

/** A declared pipeline, as discovery finds it. */
export interface PipelineDeclaration extends CheckedPorts {
  readonly kind: 'pipeline'
  readonly name: string
  readonly version: number
  readonly keyBy: ((event: StoredEvent) => string) | undefined
  readonly recovery: PipelineRecovery
  readonly build: (events$: Observable<StoredEvent>) => Observable<EventDraft>
}

/**
 * Declares a pipeline: plain RxJS over the events of a stream. Its outputs are stored together with its position, so
 * that a crash at any point neither loses nor repeats one.
 * @throws PIPELINE_INVALID
 */
export function definePipeline<const From extends PipelinePorts>(
  options: PipelineOptions<ContractsOf<From>, From>,
): PipelineDeclaration {
  const { name, version, recovery } = options
  const invalid = (detail: string): never => {
    throw fault('PIPELINE_INVALID', `${name}: ${detail}`)
  }
  if (!/^[A-Za-z0-9_-]{1,64}$/.test(name)) invalid('name may have letters, digits, _ and -, at most 64')
  if (!Number.isInteger(version) || version < 1) invalid(`version ${version} must be a whole number from 1`)
  const ports = checkPorts(name, options.from, options.to)
  if (recovery.mode !== 'stateless') invalid(`recovery mode ${JSON.stringify(recovery.mode)} is not known: stateless`)
  return Object.freeze({
    kind: 'pipeline',
    name,
    version,
    ...ports,
    recovery,
    keyBy: options.keyBy as ((event: StoredEvent) => string) | undefined,
    build: options.pipeline as unknown as (events$: Observable<StoredEvent>) => Observable<EventDraft>,
  })
}
