import type { StoredMessage } from '../../broker/stored-message.js'
import type { Registry } from '../../event/registry.js'
import type { Processor } from '../processor.js'
import type { StateLogPace } from '../state-log.js'

/** What a simulated unit is of. */
export interface SimulationOptions {
  readonly processor: Processor
  readonly registry: Registry
  /** Default: the whole. */
  readonly partition?: string
  /** Every message that the unit may have been given, oldest first: a recovery reads them again. May grow. */
  readonly log: readonly StoredMessage[]
  /** Messages of a batch beside its record. Default: as many as a server takes. */
  readonly room?: number
  /** Whether outputs share messages. Default: as the processor says. */
  readonly packed?: boolean
  /** How often a state log is written anew. Default: sooner than on a server, so that it happens in short logs too. */
  readonly pace?: StateLogPace
}
