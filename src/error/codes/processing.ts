import { EXIT } from '../exit-code.js'
import type { ErrorEntry } from '../disposition.js'

/** Errors of the processing rooms. */
export const PROCESSING_ERRORS = {} as const satisfies Record<string, ErrorEntry>
void EXIT
