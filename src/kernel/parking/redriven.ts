import type { StoredMessage } from '../../broker/stored-message.js'
import { decodeEvents } from '../../event/decode-event.js'
import type { Input, TurnContext } from '../run-turn.js'
import { originalOf, readParked, type ParkedEvent } from './park-message.js'
import { parkingId, type ParkedKey } from './parked-key.js'
import type { Parking } from './parking.js'

/** An event that comes back from the park, and whose turn it is. */
export interface Redriven {
  readonly entry: ParkedKey
  readonly parked: ParkedEvent
}

/**
 * What comes back with a message, if its number is the one that its key waits for. All others are passed over: whoever
 * redrives a key, and how often, each number is taken once, in order, and again only after it has failed.
 */
export function takesBack(parking: Parking, { headers }: Pick<StoredMessage, 'headers'>): Redriven | undefined {
  const parked = readParked(headers)
  const entry = parking.get(parked?.key)
  if (parked === undefined || entry === undefined) return undefined
  return parking.size > 0 && parkingId(entry) === parked.parking && entry.redriven === parked.number
    ? { entry, parked }
    : undefined
}

/**
 * The event that comes back: as it was, but stored now. So a processor whose time is that of storing never sees it go
 * back, and one that reads the log again finds the event where it had its turn.
 */
export function readRedriven(
  { processor, registry }: TurnContext,
  message: StoredMessage,
  { parked }: Redriven,
): Input {
  if (parked.pass || parked.leftOut) return []
  const { sequence, storedAt } = message
  const at = { stream: processor.from.stream.name, sequence, storedAt: parked.storedAt }
  return decodeEvents(registry, originalOf(message), at).map((decoded) =>
    decoded.kind === 'event' ? { kind: 'event', event: { ...decoded.event, storedAt } } : decoded,
  )
}
