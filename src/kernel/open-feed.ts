import { Feed } from '../broker/feed.js'
import type { FeedOptions } from '../broker/feed-options.js'
import type { Beginning } from './begin-unit.js'
import { inputFilters } from './input-filters.js'
import { takesRedriven } from './parking/key-parking.js'
import type { ProcessorOptions } from './processor-options.js'
import { unitId, WHOLE, type Processor } from './processor.js'

type Handlers = Required<Pick<FeedOptions, 'onMessages' | 'onFailure' | 'onCaughtUp' | 'mayGoOn'>>

/** The feed of one unit: its partition of the input, from a sequence on. */
export function openFeed(
  processor: Processor,
  { connection, clock, credit = 8_192, partition = WHOLE }: ProcessorOptions,
  { readFrom, claim: { record } }: Pick<Beginning, 'readFrom' | 'claim'>,
  handlers: Handlers,
): Feed {
  return new Feed(connection, {
    ...handlers,
    stream: processor.from.stream.name,
    filters: inputFilters(processor, partition, takesRedriven(processor, record)),
    start: { kind: 'sequence', sequence: readFrom },
    durable: unitId(processor, partition),
    acks: 'through',
    credit,
    clock,
  })
}
