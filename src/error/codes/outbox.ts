import { EXIT } from '../exit-code.js'
import type { ErrorEntry } from '../disposition.js'

/** Errors of outboxes in a database, of inboxes and of sinks there. */
export const OUTBOX_ERRORS = {
  OUTBOX_DATABASE_FAILED: {
    disposition: 'retry',
    means: 'the database refuses what a relay or a sink asks for',
    advice:
      'The detail has what it said. The user needs to read and write the table, and those of Millrace beside it; the relay goes on by itself when that is so',
    exit: EXIT.failure,
    status: 500,
  },
  OUTBOX_DATABASE_UNREACHABLE: {
    disposition: 'retry',
    means: 'the database of an outbox or a sink does not answer',
    advice: 'Look after the database and the way to it; the relay goes on by itself, from where it was',
    exit: EXIT.connection,
    status: 503,
  },
  OUTBOX_DUPLICATE: {
    disposition: 'reject',
    means: 'a row of an outbox has the id of an event that the stream holds already',
    advice: 'Nothing, when the event was added twice; give each event an id of its own, or none',
    exit: EXIT.conflict,
    status: 409,
  },
  OUTBOX_EVENT_UNDECLARED: {
    disposition: 'reject',
    means: 'an event of a type that its outbox does not declare',
    advice: 'Add its contract to `events` of the outbox',
    exit: EXIT.rejected,
    status: 422,
  },
  OUTBOX_FENCED: {
    disposition: 'retry',
    means: 'another relay has gone on with this outbox',
    advice: 'Nothing: this one stands by. When it happens often, look why relays are slow, and raise `takeover`',
    exit: EXIT.conflict,
    status: 409,
  },
  OUTBOX_INVALID: {
    disposition: 'crash',
    means: 'an outbox is declared in a way that cannot work',
    advice: 'Correct what the detail names in defineOutbox',
    exit: EXIT.usage,
    status: 400,
  },
  OUTBOX_NUMBERS_WENT_BACK: {
    disposition: 'crash',
    means: 'an outbox was relayed further than the log of its database is',
    advice:
      'The database was restored into another cluster, whose log begins anew, or a standby took over that was behind: while nothing writes, run `millrace outbox renumber`',
    exit: EXIT.conflict,
    status: 409,
  },
  OUTBOX_RECORD_INVALID: {
    disposition: 'crash',
    means: 'what says how far an outbox is cannot be read',
    advice: 'Look who else writes to subjects that begin with millrace. in the stream',
    exit: EXIT.check,
    status: 500,
  },
  OUTBOX_ROW_INVALID: {
    disposition: 'dead-letter',
    means: 'a row of an outbox cannot be published: no contract takes it, or it is too large',
    advice: 'Correct what writes such rows; add the event anew, or drop the dead letter',
    exit: EXIT.rejected,
    status: 422,
  },
  OUTBOX_SCHEMA_MISSING: {
    disposition: 'retry',
    means: 'the tables of an outbox, an inbox or a sink are not there, or are of an older version',
    advice: 'Run `millrace outbox migrate`, or what `millrace outbox sql` prints; the relay goes on by itself then',
    exit: EXIT.check,
    status: 503,
  },
  OUTBOX_TRANSACTION_UNKNOWN: {
    disposition: 'reject',
    means: 'what was given as a transaction is none of a client that is known',
    advice: 'Give `sql` of postgres’ begin, a client of pg, or a function (text, values) that resolves with rows',
    exit: EXIT.usage,
    status: 400,
  },
  SINK_FENCED: {
    disposition: 'retry',
    means: 'another process has gone on with this sink',
    advice: 'Nothing: this one stands by. When it happens often, raise `takeover`',
    exit: EXIT.conflict,
    status: 409,
  },
  SINK_INVALID: {
    disposition: 'crash',
    means: 'a sink, or an inbox in a database, is set up in a way that cannot work',
    advice: 'Correct what the detail names',
    exit: EXIT.usage,
    status: 400,
  },
  SINK_WRITE_FAILED: {
    disposition: 'crash',
    means: 'a sink could not write an event, and stands before it',
    advice: 'The detail has what `write` threw; correct it: the sink tries again, and nothing is passed over',
    exit: EXIT.failure,
    status: 500,
  },
} as const satisfies Record<string, ErrorEntry>
