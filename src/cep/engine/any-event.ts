import type { StoredEvent } from '../../event/event.js'

/** An event whose contract decides what its data is: who reads it says. */
// oxlint-disable-next-line typescript/no-explicit-any
export type AnyEvent = StoredEvent<string, any>
