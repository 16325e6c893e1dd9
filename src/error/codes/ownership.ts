import { EXIT } from '../exit-code.js'
import type { ErrorEntry } from '../disposition.js'

/** Errors of the sharing of units among processes. */
export const OWNERSHIP_ERRORS = {
  OWNERSHIP_NAME_INVALID: {
    disposition: 'reject',
    means: 'the name of a group, unit or processor cannot be used to share units among processes, or is there twice',
    advice: 'Use letters, digits, _ and -, at most 128 of them, and give each unit a name of its own',
    exit: EXIT.usage,
    status: 400,
  },
} as const satisfies Record<string, ErrorEntry>
