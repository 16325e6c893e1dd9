import { EXIT } from '../exit-code.js'
import type { ErrorEntry } from '../disposition.js'

/** Errors of personal values and their keys, by code. */
export const PERSONAL_ERRORS = {
  PERSONAL_KEY_INVALID: {
    disposition: 'crash',
    means: 'the stored key of a subject’s personal values is none',
    advice:
      'Restore the bucket millrace_personal_keys from its backup; whoever wrote the value that the detail names should not have it',
    exit: EXIT.conflict,
    status: 500,
  },
  PERSONAL_KEY_MISSING: {
    disposition: 'dead-letter',
    means: 'a personal value was to be stored where there is no key to seal it with',
    advice: 'Run the actor against a server: a simulation has no keys',
    exit: EXIT.failure,
    status: 500,
  },
  PERSONAL_SUBJECT_INVALID: {
    disposition: 'dead-letter',
    means: 'personal.subject of an actor did not say whom an aggregate is about',
    advice: 'Return a text that is not empty, from the id or from the data of whichever command comes first',
    exit: EXIT.failure,
    status: 500,
  },
  PERSONAL_SUBJECT_UNKNOWN: {
    disposition: 'reject',
    means: 'nothing personal was ever stored of the subject',
    advice: 'Name it as the actor does; where the actor says nothing it is <actor>:<id>',
    exit: EXIT.notFound,
    status: 404,
  },
  PERSONAL_VALUE_BROKEN: {
    disposition: 'crash',
    means: 'a sealed personal value cannot be opened with its key: its bytes were changed',
    advice: 'Compare the record with an audit export, and restore the stream from its backup',
    exit: EXIT.conflict,
    status: 500,
  },
} as const satisfies Record<string, ErrorEntry>
