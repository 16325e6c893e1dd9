// PartingSnapshots
//
// Invariants (tests cite them):
//   AL10 A snapshot made when an aggregate is dropped from memory holds what is stored of it, and nothing else.
import type { EventDraft } from '../event/event.js'
import type { WireMessage } from '../event/wire.js'
import { isFault } from '../error/millrace-error.js'
import type { ActorPlace } from './actor-place.js'
import { snapshotMessage } from './aggregate-snapshot.js'
import { frameOf, type ResidentAggregate } from './resident-aggregate.js'
import { sealFacts } from './seal-personal.js'
import { StoredDecision } from './stored-decision.js'

/** Snapshots that wait for a turn; of more, the oldest are given up: their aggregates are read as before. */
const MOST_WAITING = 1_000
/** In one turn, so that none becomes too large for its batch; and bytes of them, beside the last. */
const MOST_AT_ONCE = 8
const MANY_BYTES = 256 * 1024
const NONE: readonly EventDraft[] = []

/**
 * States of aggregates that were dropped from memory, stored beside the next decisions of their unit (AL10). What is dropped
 * is not pinned, so all that it is made of is stored.
 */
export class PartingSnapshots {
  readonly #place: ActorPlace
  readonly #waiting = new Map<string, ResidentAggregate>()
  /** Those that are in a commit that is not stored yet. */
  readonly #open = new Set<string>()
  #taken: string[] = []

  constructor(place: ActorPlace) {
    this.#place = place
  }

  /** An aggregate was dropped. */
  left(aggregate: ResidentAggregate): void {
    const { onPassivation } = this.#place.actor.snapshot
    if (onPassivation === undefined || aggregate.version - aggregate.storedAt < onPassivation) return
    if (this.#open.has(aggregate.id)) return
    this.#waiting.set(aggregate.id, aggregate)
    if (this.#waiting.size <= MOST_WAITING) return
    for (const oldest of this.#waiting.keys()) {
      this.#waiting.delete(oldest)
      return
    }
  }

  /** An aggregate is in memory again. @returns whether a snapshot of it is on its way: a batch may not hold two */
  entered(id: string): boolean {
    this.#waiting.delete(id)
    return this.#open.has(id)
  }

  /** What is personal of a subject is erased (PE5). */
  forget(subject: string): void {
    for (const [id, { key }] of this.#waiting) if (key?.subject === subject) this.#waiting.delete(id)
  }

  /** Those that go with this turn. */
  take(): readonly EventDraft[] {
    if (this.#waiting.size === 0) return NONE
    const drafts: EventDraft[] = []
    let bytes = 0
    for (const [id, aggregate] of this.#waiting) {
      if (drafts.length >= MOST_AT_ONCE || bytes >= MANY_BYTES) break
      this.#waiting.delete(id)
      const message = this.#message(aggregate)
      if (message === undefined) continue
      bytes += message.data.length
      this.#open.add(id)
      this.#taken.push(id)
      drafts.push(new StoredDecision([message]))
    }
    return drafts
  }

  /** What is to be done when those of the turns since the last call are stored. */
  takeStored(): ((again: (id: string) => void) => void) | undefined {
    const taken = this.#taken
    if (taken.length === 0) return undefined
    this.#taken = []
    return (again) => {
      for (const id of taken) {
        this.#open.delete(id)
        again(id)
      }
    }
  }

  #message(aggregate: ResidentAggregate): WireMessage | undefined {
    const { actor, stream, maxPayload } = this.#place
    const { id, key } = aggregate
    const frame = frameOf(sealFacts(actor, key, id, aggregate), actor.version, [], key?.subject)
    try {
      return snapshotMessage(stream.name, actor.name, id, frame, maxPayload)
    } catch (error) {
      // its events are enough; a decision that needs its state stored says that it is too large
      if (isFault(error) && error.code === 'AGGREGATE_STATE_TOO_LARGE') return undefined
      throw error
    }
  }
}
