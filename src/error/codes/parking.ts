import { EXIT } from '../exit-code.js'
import type { ErrorEntry } from '../disposition.js'

/** Errors of keys that are parked because one of their events failed, and of redriving them. */
export const PARKING_ERRORS = {
  POISON_STOPPED: {
    disposition: 'crash',
    means: 'an event failed in a processor that is declared to stop then',
    advice:
      'Mend the cause that the detail names and start it again: it goes on with that event. To go on without it, declare `dead-letter` or `park` in place of `stop`',
    exit: EXIT.failure,
    status: 500,
  },
  TOO_MANY_PARKED_KEYS: {
    disposition: 'crash',
    means: 'so many keys of a processor are parked that the failure is not one of single keys',
    advice:
      'Look at what they failed with (millrace parked list), mend it and redrive them (millrace parked redrive PROCESSOR --all); the processor goes on with the event it stopped at',
    exit: EXIT.failure,
    status: 500,
  },
  PARKED_KEYS_BLOCK_REBUILD: {
    disposition: 'crash',
    means:
      'state is to be made anew from the log while keys are parked, whose events would then count without ever having led to an output',
    advice:
      'Redrive the parked keys under the former code first (millrace parked redrive PROCESSOR --all, with --skip for what will never succeed), or upgrade with `keep` or `cut`',
    exit: EXIT.conflict,
    status: 409,
  },
  PARKED_EVENT_TOO_LARGE: {
    disposition: 'dead-letter',
    means: 'an event of a parked key has no room beside it for what the park has to note with it',
    advice:
      'It is left out when its key is redriven. Leave 2 kB between the largest message that you publish and max_payload of the server',
    exit: EXIT.failure,
    status: 413,
  },
  PARKED_KEY_NOT_FOUND: {
    disposition: 'reject',
    means: 'the processor has no such key parked',
    advice: 'Look at the keys that are (millrace parked list); it may be back already',
    exit: EXIT.notFound,
    status: 404,
  },
  PARKED_EVENTS_GONE: {
    disposition: 'reject',
    means: 'the park no longer has events that are to be redriven',
    advice: 'Find out who purged the stream, or which limit deleted them. To go on without them, redrive with --skip',
    exit: EXIT.conflict,
    status: 410,
  },
  PARKED_KEY_FAILED: {
    disposition: 'reject',
    means:
      'an event of a parked key failed again when it was redriven; the key stays parked, and its later events in the park',
    advice:
      'Look at the dead letter that the detail names, and mend what it says. To go on without that event, redrive with --skip',
    exit: EXIT.check,
    status: 409,
  },
  PARKED_KEY_BUSY: {
    disposition: 'reject',
    means:
      'new events of a parked key came faster than it could be brought back; it stays parked, and what was redriven is handled',
    advice: 'Repeat it when fewer events of the key come: it goes on where it ended',
    exit: EXIT.check,
    status: 409,
  },
  REDRIVE_NOT_TAKEN: {
    disposition: 'reject',
    means: 'what was redriven is stored, but the processor does not take it',
    advice: 'See whether the processor runs (millrace status): it takes it when it does. Repeating the redrive is safe',
    exit: EXIT.check,
    status: 504,
  },
} as const satisfies Record<string, ErrorEntry>
