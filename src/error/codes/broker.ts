import { EXIT } from '../exit-code.js'
import type { ErrorEntry } from '../disposition.js'

/** Errors of the broker rooms. */
export const BROKER_ERRORS = {} as const satisfies Record<string, ErrorEntry>
void EXIT
