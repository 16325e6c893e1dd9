import { EXIT } from '../exit-code.js'
import type { ErrorEntry } from '../disposition.js'

/** Errors of views, by code. */
export const VIEW_ERRORS = {
  VIEW_FOLD_FAILED: {
    disposition: 'dead-letter',
    means: '`key` or `fold` of a view threw at an event, or gave back what cannot be a key or a row',
    advice:
      'Correct the function that the detail names; give `version` the next number when rows are to be made anew with it',
    exit: EXIT.failure,
    status: 500,
  },
  VIEW_IN_TABLE: {
    disposition: 'reject',
    means: 'the rows of the view are in a table of a database, and not in a bucket',
    advice: 'Query the table that the detail names (columns key, row, sequence); whenCaughtUp works as for any view',
    exit: EXIT.usage,
    status: 400,
  },
  VIEW_INVALID: {
    disposition: 'crash',
    means: 'a view is declared in a way that cannot work',
    advice: 'Correct what the detail names in defineView',
    exit: EXIT.usage,
    status: 400,
  },
  VIEW_NOT_CAUGHT_UP: {
    disposition: 'reject',
    means: 'a view did not come as far as was asked for within the time that it was given',
    advice: 'Look at millrace status, whether its processor runs and how far behind it is; wait longer',
    exit: EXIT.failure,
    status: 504,
  },
  VIEW_NOT_FOUND: {
    disposition: 'reject',
    means: 'there is no view of this name: none has ever run',
    advice: 'Check the name with millrace view list, and that the views of streams/ run (millrace run)',
    exit: EXIT.notFound,
    status: 404,
  },
  VIEW_OTHER_STREAM: {
    disposition: 'reject',
    means: 'a position of one stream was asked for of a view that is made of another one',
    advice: 'Pass a sequence of the stream that the view reads, which the detail names',
    exit: EXIT.usage,
    status: 400,
  },
  VIEW_PLACE_CHANGED: {
    disposition: 'crash',
    means: 'the rows of a version of a view are in another bucket or table than it is declared with',
    advice: 'Give the view the next `version` with the new place, or declare the former one again',
    exit: EXIT.conflict,
    status: 409,
  },
  VIEW_POINTER_INVALID: {
    disposition: 'crash',
    means: 'what says which bucket a view is in cannot be read',
    advice: 'Look who else writes to the bucket millrace-views; restore its value from the history of the key',
    exit: EXIT.check,
    status: 500,
  },
  VIEW_RETIRED: {
    disposition: 'crash',
    means: 'a newer version of the view has taken over, and the rows of this one are gone',
    advice: 'Deploy the newer code everywhere; to go back, give the former code a version of its own, above the newest',
    exit: EXIT.conflict,
    status: 409,
  },
  VIEW_ROW_INVALID: {
    disposition: 'crash',
    means: 'a bucket of a view holds a value that the view has not written',
    advice:
      'Let nobody else write to the bucket; delete it, or give `version` the next number, and the view is made anew',
    exit: EXIT.check,
    status: 500,
  },
  VIEW_TABLE_FAILED: {
    disposition: 'crash',
    means: 'the database refused rows of a view, or its tables',
    advice:
      'The detail has what it said. The user needs to create tables and views in its schema; a row may not have the character U+0000',
    exit: EXIT.failure,
    status: 500,
  },
  VIEW_ROW_NOT_FOUND: {
    disposition: 'reject',
    means: 'a view has no row of this key',
    advice: 'Check the key with millrace view show NAME; a row may have been deleted, or its events not yet be in it',
    exit: EXIT.notFound,
    status: 404,
  },
} as const satisfies Record<string, ErrorEntry>
