import { EXIT } from '../exit-code.js'
import type { ErrorEntry } from '../disposition.js'

/** Errors of aggregates and the actors that own them, by code. */
export const ACTOR_ERRORS = {
  AGGREGATE_HISTORY_GONE: {
    disposition: 'crash',
    means: 'records of the aggregate that are needed to know its state are no longer in the stream',
    advice:
      'Keep what the stream purges or lets expire until every aggregate has a snapshot after it; give the actor `migrate` when only an older snapshot is left',
    exit: EXIT.conflict,
    status: 500,
  },
  AGGREGATE_ID_INVALID: {
    disposition: 'reject',
    means: 'the text cannot be the id of an aggregate, or the name of its type',
    advice:
      'An id is any text of 1 to 1,024 bytes as it stands in a subject; the name of a type has letters, digits, _ and -, at most 64',
    exit: EXIT.usage,
    status: 400,
  },
  AGGREGATE_RECORD_INVALID: {
    disposition: 'crash',
    means: 'a stored record of the aggregate cannot be read',
    advice:
      'The detail says which and why: deploy the contract or the upcaster that it misses; a record that something else has written there has to be deleted',
    exit: EXIT.conflict,
    status: 500,
  },
  AGGREGATE_STATE_INVALID: {
    disposition: 'crash',
    means: 'the stored state of the aggregate does not fit what the actor declares, or cannot be stored as JSON',
    advice:
      'Raise the version of the actor when the shape of its state changes, with `migrate` where the history is long; keep only what JSON brings back',
    exit: EXIT.conflict,
    status: 500,
  },
  AGGREGATE_STATE_NEWER: {
    disposition: 'crash',
    means: 'the stored state of the aggregate was written by a newer version of the actor',
    advice: 'Run that version, or a later one; to go back, raise the version once more with a `migrate` that undoes it',
    exit: EXIT.conflict,
    status: 500,
  },
  AGGREGATE_STATE_TOO_LARGE: {
    disposition: 'crash',
    means: 'the state of the aggregate is larger than what the server takes as one message, compressed too',
    advice: 'Keep less in the state: what no decision needs belongs into a view',
    exit: EXIT.failure,
    status: 500,
  },
  AGGREGATE_VERSION_GAP: {
    disposition: 'crash',
    means: 'the versions of the stored records of the aggregate do not follow one another',
    advice:
      'Something has deleted or written records by hand: compare millrace actor history with an audit export, and restore the stream from its backup',
    exit: EXIT.conflict,
    status: 500,
  },
} as const satisfies Record<string, ErrorEntry>
