import type { StoredEvent } from '../../event/event.js'
import type { SavedTally } from '../engine/tally.js'
import type { Standing } from './decision.js'

type SavedWatch = readonly [
  key: string,
  order: number,
  since: number,
  heard: number,
  standing: Standing,
  last: StoredEvent | null,
  detector: unknown,
]

/** State of a detector at work, as data that JSON can carry. */
export interface DetectState {
  readonly order: number
  /** The one heard of longest ago first. */
  readonly keys: readonly SavedWatch[]
  /** State of the detector for all keys; null: one each. */
  readonly shared: unknown
  readonly tally: SavedTally
}
