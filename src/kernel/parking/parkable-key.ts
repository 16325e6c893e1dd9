import type { StoredEvent } from '../../event/event.js'
import type { Processor } from '../processor.js'

/** Longer keys cannot be parked. In characters. */
const LONGEST_KEY = 1_000

/**
 * The key under which an event can be parked. Undefined for an event that has no order to keep, for want of a key, and
 * when reading its key fails, as its turn will.
 */
export function parkableKey(processor: Pick<Processor, 'keyOf'>, event: StoredEvent): string | undefined {
  try {
    const key = processor.keyOf === undefined ? event.key : processor.keyOf(event)
    return typeof key === 'string' && key !== '' && key.length <= LONGEST_KEY ? key : undefined
  } catch {
    return undefined
  }
}
