import { EXIT } from '../exit-code.js'
import type { ErrorEntry } from '../disposition.js'

/** Errors of `millrace contracts`. */
export const CONTRACTS_ERRORS = {
  CONTRACT_BREAKS: {
    disposition: 'reject',
    means: 'a contract was changed so that events that are stored, or readers that run, do not fit it any more',
    advice:
      'Each issue says what breaks for whom: take the change back, or declare a new version with an upcaster from the one before; millrace contracts record --accept-breaks TYPE when nothing of it is stored',
    exit: EXIT.check,
    status: 409,
  },
  CONTRACT_UNRECORDED: {
    disposition: 'reject',
    means: 'a contract is not recorded as the code has it',
    advice: 'Run millrace contracts record, and commit what it writes beside the code',
    exit: EXIT.check,
    status: 409,
  },
  CONTRACTS_RECORD_INVALID: {
    disposition: 'reject',
    means: 'a file of recorded contracts cannot be read',
    advice:
      'Take it from the version before (it is written by millrace contracts record only); after a merge, take one side and record again',
    exit: EXIT.usage,
    status: 422,
  },
} as const satisfies Record<string, ErrorEntry>
