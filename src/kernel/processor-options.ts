import type { Connection } from '../broker/connection.js'
import type { MillraceError } from '../error/millrace-error.js'
import type { Registry } from '../event/registry.js'
import type { Log } from '../observe/log.js'
import type { Clock } from '../time/clock.js'
import type { ReadPlan } from './read-plan.js'
import type { Shadow } from './shadow.js'

export interface ProcessorOptions {
  readonly connection: Connection
  readonly registry: Registry
  readonly clock: Clock
  readonly log: Log
  /** Who runs it, for the commit record: host and process. */
  readonly owner: string
  /** Partition of the input that this unit reads. Default all of them. */
  readonly partition?: string
  /** Most messages in hand and not committed. Default 8,192; of slots 3,072, of an actor 1,024. */
  readonly credit?: number
  /** State that was made anew beside the former code; it ends in this run. */
  readonly shadow?: Shadow | undefined
  /**
   * Given by who changes the number of partitions: how the unit reads until it is done, under a claim that nobody else
   * gets meanwhile. Default: as the stream says, without an end.
   */
  readonly plan?: ReadPlan | undefined
  /** The processor has stopped by itself and will not go on. */
  readonly onFailure: (error: MillraceError) => void
}
