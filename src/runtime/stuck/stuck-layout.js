// What the watched thread and the one that watches it share: a few numbers, and a text.

/** Of Int32: goes up while the event loop runs. */
export const BEATS = 0
/** Of Int32: which processor has a turn, from 1; 0: none has. */
export const SLOT = 1
/** Of Int32: bytes of the text. */
export const TEXT_LENGTH = 2
/** In bytes: the sequence of the turn, a Float64; then the text, in UTF-8. */
export const SEQUENCE_AT = 16
export const TEXT_AT = 24
export const BYTES = 16
export const TEXT_BYTES = 512
/** How often within the limit it is looked. */
export const TICKS = 10
