import { EXIT } from '../exit-code.js'
import type { ErrorEntry } from '../disposition.js'

/** Errors of schedules, and of events that wait for their time. */
export const SCHEDULE_ERRORS = {
  DELAYED_EVENT_EXISTS: {
    disposition: 'reject',
    means: 'an event waits under that id already, and was not to be replaced; nothing was stored',
    advice: 'Take another id, or leave out `require` to replace it',
    exit: EXIT.conflict,
    status: 409,
  },
  DELAYED_EVENT_INVALID: {
    disposition: 'reject',
    means: 'an event cannot be set to wait like that; nothing was stored',
    advice: 'Correct what the detail names',
    exit: EXIT.usage,
    status: 400,
  },
  DELAYED_EVENT_NOT_PENDING: {
    disposition: 'reject',
    means: 'no event waits under that id: its time has come, it was cancelled, or it was never set; nothing was stored',
    advice: 'Read the stream for what it has become; leave out `require` to go on all the same',
    exit: EXIT.conflict,
    status: 409,
  },
  SCHEDULE_EMITS_FAILED: {
    disposition: 'dead-letter',
    means: '`emits` of a schedule threw for a tick',
    advice:
      'Correct it; the dead letter has the tick and the stack, and `millrace schedules run` runs the schedule once more',
    exit: EXIT.rejected,
    status: 422,
  },
  SCHEDULE_EMITS_INVALID: {
    disposition: 'dead-letter',
    means: 'a schedule gave something else than events that it declares, or too many',
    advice: 'Add the contract to `events` of the schedule, or correct `emits`',
    exit: EXIT.rejected,
    status: 422,
  },
  SCHEDULE_INVALID: {
    disposition: 'crash',
    means: 'a schedule is declared in a way that cannot work',
    advice: 'Correct what the detail names in defineSchedule',
    exit: EXIT.usage,
    status: 400,
  },
  SCHEDULE_RECORD_INVALID: {
    disposition: 'crash',
    means: 'what says how far a schedule is cannot be read',
    advice: 'Look who else writes to subjects that begin with millrace. in the stream',
    exit: EXIT.check,
    status: 500,
  },
} as const satisfies Record<string, ErrorEntry>
