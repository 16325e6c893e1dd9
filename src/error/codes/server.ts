import { EXIT } from '../exit-code.js'
import type { ErrorEntry } from '../disposition.js'

/** Errors of the server rooms. */
export const SERVER_ERRORS = {} as const satisfies Record<string, ErrorEntry>
void EXIT
