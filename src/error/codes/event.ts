import { EXIT } from '../exit-code.js'
import type { ErrorEntry } from '../disposition.js'

/** Errors of the event rooms. */
export const EVENT_ERRORS = {} as const satisfies Record<string, ErrorEntry>
void EXIT
