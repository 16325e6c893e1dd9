import type { Connection } from '../../broker/connection.js'
import type { Ownership } from '../../kernel/ownership/ownership.js'
import { processorId, type Processor } from '../../kernel/processor.js'
import type { Log } from '../../observe/log.js'
import type { Clock } from '../../time/clock.js'
import type { Deployment } from '../deployment.js'
import { rulesProcessorOf } from '../processors.js'
import type { StuckWatch } from '../stuck/stuck-watch.js'
import type { UnitStarter } from '../unit-starter.js'
import { watchPairs, type RulePair } from './rule-pairs.js'
import type { KnownRule } from './rule-store.js'

export interface WatchRulesOptions {
  readonly connection: Connection
  readonly deployment: Deployment
  readonly clock: Clock
  readonly log: Log
  readonly only?: (processor: Processor) => boolean
}

export interface AtWork {
  readonly known: readonly KnownRule[]
  /** Every processor of the deployment, and those of them that this process can run; they grow. */
  readonly all: Processor[]
  readonly processors: Processor[]
  readonly starter: UnitStarter
  readonly ownership: Ownership
  readonly watch: StuckWatch | undefined
}

/** Takes up the first rule between two streams while everything runs. @returns ends it */
export function watchRules(
  options: WatchRulesOptions,
  { known, all, processors, starter, ownership, watch }: AtWork,
): () => void {
  const { deployment, log, only = () => true } = options
  const onPair = (pair: RulePair): void => {
    const declared = rulesProcessorOf(deployment, pair)
    const processor = watch?.watched(declared) ?? declared
    if (!only(processor) || all.some((one) => processorId(one) === processorId(processor))) return
    all.push(processor)
    processors.push(processor)
    starter.add(processor)
    ownership.update(starter.units)
    log.info({ processor: processorId(processor) }, 'rules are deployed where there were none')
  }
  return watchPairs({ ...options, after: Math.max(0, ...known.map(({ last }) => last)), onPair })
}
