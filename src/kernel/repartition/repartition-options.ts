import type { Connection } from '../../broker/connection.js'
import type { StreamDeclaration } from '../../broker/define-stream.js'
import type { Registry } from '../../event/registry.js'
import type { Log } from '../../observe/log.js'
import type { Clock } from '../../time/clock.js'
import type { Processor } from '../processor.js'

export interface RepartitionOptions {
  readonly connection: Connection
  readonly registry: Registry
  readonly clock: Clock
  readonly log: Log
  /** Who does it: host and process. */
  readonly owner: string
  /** Processes in which the processors are paused. */
  readonly group: string
  /** Every processor of the deployment, with whatever number of partitions it is declared. */
  readonly processors: readonly Processor[]
  readonly stream: StreamDeclaration
  readonly to: number
  /** Ids of processors that are to begin with empty state; what slots hold ends as if its keys were idle. */
  readonly cut: ReadonlySet<string>
  /** How long to wait until processors have caught up, keys are idle, and units are given back. In ms. */
  readonly patience: number
  /** Of the processes of the group, in ms. Default 3,000. */
  readonly leaseMs?: number
  /** Ends it: before the stream is changed, everything goes back; after that it is to be run again. */
  readonly signal?: AbortSignal
  readonly onProgress?: (progress: RepartitionProgress) => void
  /** Called between two steps, for tests. */
  readonly between?: (step: RepartitionStep) => void | Promise<void>
}

/** Steps of a repartition, each named after what is done. */
export type RepartitionStep =
  | 'begun'
  | 'paused'
  | 'held'
  | 'drained'
  | 'ready'
  | 'changed'
  | 'switched'
  | 'drained-again'
  | 'moved'
  | 'tidied'
  | 'resumed'

export type RepartitionProgress =
  /** Processors run still: messages that they are behind, and units whose keys are not idle. */
  | { readonly kind: 'waiting'; readonly behind: number; readonly living: number }
  | { readonly kind: 'pausing'; readonly units: number }
  | { readonly kind: 'draining'; readonly processor: string; readonly unit: number; readonly units: number }
  | { readonly kind: 'switched'; readonly cut: number }
  | { readonly kind: 'moved'; readonly processor: string; readonly entries: number; readonly parkedKeys: number }
  | { readonly kind: 'resumed'; readonly processors: readonly string[] }
  | { readonly kind: 'taken-back' }

/** What a repartition finds, and what it would do. */
export interface RepartitionPlan {
  readonly stream: string
  readonly from: number
  readonly to: number
  /** Where one that was ended goes on; `new`: there is none; `nothing`: the number is that already. */
  readonly state: 'nothing' | 'new' | 'begun' | 'switched'
  readonly processors: readonly PlannedProcessor[]
  /** Processors that only stand still meanwhile. */
  readonly held: readonly string[]
}

export interface PlannedProcessor {
  readonly processor: string
  readonly memory: Processor['memory']
  /** Messages that it is behind. */
  readonly behind: number
  /** Units in which keys are not idle (memory `replay`). */
  readonly living: number
  readonly parkedKeys: number
  /** Whether its state is left behind, or ended. */
  readonly cut: boolean
  readonly neverRan: boolean
}

/** How it ended. */
export interface RepartitionReport {
  readonly outcome: 'nothing' | 'done' | 'taken-back'
  readonly stream: string
  readonly from: number
  readonly to: number
  /** Sequence up to which messages are where the former number has put them. */
  readonly cut: number
  readonly moved: readonly { readonly processor: string; readonly entries: number; readonly parkedKeys: number }[]
}
