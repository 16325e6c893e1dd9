// What a modelled processor lives in, and what may be broken on purpose.
import type { StoredMessage } from '../../src/broker/stored-message.ts'
import type { Registry } from '../../src/event/registry.ts'
import type { CommitRecord } from '../../src/kernel/commit-record.ts'
import type { Processor } from '../../src/kernel/processor.ts'
import type { Out } from './model-store.ts'

/** What is left out of the protocol on purpose: a test that does not notice is worth nothing. */
export type Mutation =
  | 'no fence'
  | 'position before outputs'
  | 'no restore'
  | 'replay after the position'
  | 'outputs of the replay kept'
  | 'replay from one later'
  | 'replay from one earlier'
  | 'no basis'
  | 'no journal'
  | 'nothing is redone'
  | 'new decisions at once'
  | 'numbers begin anew'
  | 'changes of later turns'
  | 'state log from one commit later'
  | 'dead letters behind the position'

/** Where a processor stands when it lets others go on. */
export type Point =
  | 'claimed'
  | 'turn'
  | 'decision'
  | 'marked'
  | 'dead letter'
  | 'before the batch'
  | 'between two writes'
  | 'batch stored'
  | 'done'

export type End = 'done' | 'fenced' | 'killed'

export interface World {
  readonly log: readonly StoredMessage[]
  readonly processor: Processor
  readonly registry: Registry
  /** Messages of a batch beside its record. */
  readonly room: number
  /** Turns between two commits, and between two looks at the state. */
  readonly every: number
  readonly looks: number
  /** Commits between two snapshots. */
  readonly snapshots: number
  /** Commits between two receipts that are lost after the batch was stored; 0: none. */
  readonly lose: number
  /** Sequences of messages that end their process. */
  readonly poison: ReadonlySet<number>
  /** From 0 to below 1: decides when time passes, and when and how steps end. */
  readonly chance: () => number
  readonly mutation?: Mutation | undefined
  readonly out: Out
}

/** A unit that was claimed: its record, and the sequence of that. */
export interface Claimed {
  readonly record: CommitRecord
  readonly sequence: number
}
