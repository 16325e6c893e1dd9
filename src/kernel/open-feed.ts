import type { FeedOptions } from '../broker/feed-options.js'
import type { Beginning } from './begin-unit.js'
import { takesRedriven } from './parking/key-parking.js'
import type { ProcessorOptions } from './processor-options.js'
import { WHOLE, type Processor } from './processor.js'
import { UnitFeed } from './unit-feed.js'

type Handlers = Required<Pick<FeedOptions, 'onMessages' | 'onFailure' | 'onCaughtUp' | 'mayGoOn'>>

/** The feed of one unit: its part of the input, from a sequence on. */
export function openFeed(
  processor: Processor,
  { connection, clock, registry, credit = 8_192, partition = WHOLE, plan }: ProcessorOptions,
  { readFrom, claim: { record } }: Pick<Beginning, 'readFrom' | 'claim'>,
  handlers: Handlers,
): UnitFeed {
  return new UnitFeed(connection, {
    ...handlers,
    processor,
    partition,
    registry,
    from: readFrom,
    durable: plan === undefined,
    redriven: takesRedriven(processor, record),
    plan,
    credit,
    clock,
  })
}
