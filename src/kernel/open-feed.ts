import type { FeedOptions } from '../broker/feed-options.js'
import type { Beginning } from './begin-unit.js'
import { takesRedriven } from './parking/key-parking.js'
import type { ProcessorOptions } from './processor-options.js'
import { WHOLE, type Processor } from './processor.js'
import { UnitFeed } from './unit-feed.js'

type Handlers = Required<Pick<FeedOptions, 'onMessages' | 'onFailure' | 'onCaughtUp' | 'mayGoOn'>>

/** Messages that a unit may have in hand, when nothing else is said. */
const CREDIT = 8_192
/** The same for an actor, whose commands cost ten times as much: the collector copies whatever waits. */
const ACTOR_CREDIT = 1_024
/** The same for a state that is made again by a replay, as that of slots: what a message leaves in hand is larger there. */
const REPLAY_CREDIT = 3_072

export function creditOf({ kind, memory }: Pick<Processor, 'kind' | 'memory'>): number {
  if (kind === 'actor') return ACTOR_CREDIT
  return memory === 'replay' ? REPLAY_CREDIT : CREDIT
}

/** The feed of one unit: its part of the input, from a sequence on. */
export function openFeed(
  processor: Processor,
  { connection, clock, registry, credit = creditOf(processor), partition = WHOLE, plan }: ProcessorOptions,
  { readFrom, letters, claim: { record } }: Pick<Beginning, 'readFrom' | 'letters' | 'claim'>,
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
    letters,
    plan,
    credit,
    clock,
  })
}
