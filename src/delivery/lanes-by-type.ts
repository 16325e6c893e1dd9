import type { StoredEvent } from '../event/event.js'
import { DEFAULT_LANE, type Lane } from './handler-options.js'

/** Says by which lane an event comes. */
export function lanesByType(lanes: readonly Lane[]): (event: Pick<StoredEvent, 'type'>) => string {
  const byType = new Map(lanes.flatMap(({ name, types }) => types.map((type) => [type, name] as const)))
  return ({ type }) => byType.get(type) ?? DEFAULT_LANE
}
