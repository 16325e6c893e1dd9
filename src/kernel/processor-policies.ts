/**
 * What a processor does when its code has changed since its state was written. A closed set.
 *
 * - `refuse`: it does not start.
 * - `cut`: it goes on from its position with empty state.
 * - `keep`: it reads the state, and knows by itself what to do with it.
 * - `rebuild`: its state is made anew from the beginning of the log, putting nothing out, and it takes over when it has
 *   come to where the former code is.
 * - `drain`: what is open ends under the former code, which has to be at hand; then it begins with empty state.
 */
export type Upgrade = 'refuse' | 'cut' | 'keep' | 'rebuild' | 'drain'

/**
 * What a processor does about an event that fails in its own code. A closed set. An event that breaks its contract, or
 * that a processor passes over as late, is a dead letter whatever this says.
 *
 * - `continue`: the event becomes a dead letter, and its key goes on without it.
 * - `park`: the event becomes a dead letter, and its key is parked: the key’s later events are kept in order until they
 *   are redriven, and other keys go on (docs/decisions/0011). An event without a key has no order to keep: `continue`.
 * - `stop`: the processor stops before it (POISON_STOPPED).
 */
export type OnPoison = 'continue' | 'park' | 'stop'
