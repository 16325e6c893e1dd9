import { EXIT } from '../exit-code.js'
import type { ErrorEntry } from '../disposition.js'

/** Errors of the event room. */
export const EVENT_ERRORS = {
  EVENT_ENVELOPE_INVALID: {
    disposition: 'dead-letter',
    means: 'the message is not a CloudEvent that Millrace can read or write',
    advice:
      'Correct the publisher: id, source, type and specversion 1.0 are required, header values are percent-encoded, data is JSON; then publish the event again (millrace dead-letters show has it)',
    exit: EXIT.failure,
    status: 400,
  },
  EVENT_TYPE_UNKNOWN: {
    disposition: 'dead-letter',
    means: 'no contract is declared for the type of the event',
    advice:
      'Declare the type with defineEvent in events.ts, or correct it at the publisher; then publish the event again (millrace dead-letters show has it)',
    exit: EXIT.failure,
    status: 422,
  },
  EVENT_VERSION_UNKNOWN: {
    disposition: 'dead-letter',
    means: 'the event follows a version of its contract that this deployment does not know',
    advice:
      'A newer version: deploy the contract before its publishers. An older one: add the upcaster. Then publish the event again (millrace dead-letters show has it)',
    exit: EXIT.failure,
    status: 422,
  },
  EVENT_DATA_INVALID: {
    disposition: 'dead-letter',
    means: 'the data of an event or a command does not follow its contract',
    advice:
      'Each issue points at what is wrong; correct the data, its publisher or the schema, and send it again (what was stored is in millrace dead-letters show)',
    exit: EXIT.failure,
    status: 422,
  },
  EVENT_UPCAST_FAILED: {
    disposition: 'dead-letter',
    means: 'an upcaster threw while it brought the data of an older event to the current version',
    advice:
      'Correct the upcaster, with this event as a test of it; then publish the event again (millrace dead-letters show has it)',
    exit: EXIT.failure,
    status: 422,
  },
  EVENT_TIME_AHEAD: {
    disposition: 'dead-letter',
    means: 'the event says that it happens more than five minutes after the stream stored it',
    advice:
      'Correct the clock of the producer, or the time that it writes; then publish the event again with its right time',
    exit: EXIT.failure,
    status: 422,
  },
  CONTRACT_INVALID: {
    disposition: 'crash',
    means: 'an event contract cannot be used as it is declared',
    advice: 'Correct the defineEvent call that the detail names',
    exit: EXIT.check,
    status: 500,
  },
  CONTRACT_DUPLICATE: {
    disposition: 'crash',
    means: 'two contracts are declared for the same event type',
    advice:
      'Keep one defineEvent for the type and import it where it is needed; for a change of shape raise its version',
    exit: EXIT.check,
    status: 500,
  },
  SUBJECT_INVALID: {
    disposition: 'reject',
    means: 'the text is not a NATS subject, or cannot become a part of one',
    advice: 'Use non-empty tokens separated by single dots, without spaces, control characters, * or >',
    exit: EXIT.usage,
    status: 400,
  },
} as const satisfies Record<string, ErrorEntry>
