import { EXIT } from '../exit-code.js'
import type { ErrorEntry } from '../disposition.js'

/** Errors that belong to no single room. */
export const GENERAL_ERRORS = {
  INTERNAL: {
    disposition: 'crash',
    means: 'Millrace met a state that it does not expect: this is a bug',
    advice: 'Report it with the detail and the log; restarting is safe, nothing acknowledged is lost',
    exit: EXIT.failure,
    status: 500,
  },
  USAGE: {
    disposition: 'reject',
    means: 'the command line has something that the command does not take',
    advice: 'Read the command’s --help',
    exit: EXIT.usage,
    status: 400,
  },
  SETTING_INVALID: {
    disposition: 'reject',
    means: 'a setting has a value that cannot be used',
    advice: 'Correct the named environment variable or flag',
    exit: EXIT.usage,
    status: 400,
  },
  DURATION_INVALID: {
    disposition: 'reject',
    means: 'a duration cannot be read',
    advice: 'Write it like 250ms, 30s, 10m, 1h30m or PT5M',
    exit: EXIT.usage,
    status: 400,
  },
  INTERRUPTED: {
    disposition: 'reject',
    means: 'the command was interrupted before it was done',
    advice: 'Run it again; where it can go on from somewhere, or has to be told apart, the message says how',
    exit: EXIT.interrupted,
    status: 499,
  },
} as const satisfies Record<string, ErrorEntry>
