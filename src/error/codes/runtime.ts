import { EXIT } from '../exit-code.js'
import type { ErrorEntry } from '../disposition.js'

/** Errors of the runtime rooms. */
export const RUNTIME_ERRORS = {} as const satisfies Record<string, ErrorEntry>
void EXIT
