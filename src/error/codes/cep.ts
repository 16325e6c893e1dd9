import { EXIT } from '../exit-code.js'
import type { ErrorEntry } from '../disposition.js'

/** Errors of the cep rooms. */
export const CEP_ERRORS = {} as const satisfies Record<string, ErrorEntry>
void EXIT
