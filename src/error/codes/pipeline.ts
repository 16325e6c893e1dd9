import { EXIT } from '../exit-code.js'
import type { ErrorEntry } from '../disposition.js'

/** Errors of pipelines at work: of their modes, their keys, their time and their steps. */
export const PIPELINE_ERRORS = {
  PIPELINE_KEEPS_STATE: {
    disposition: 'crash',
    means:
      'a pipeline in stateless mode puts out what does not follow from the event alone, so that a restart would change it',
    advice:
      'Declare `recovery: { mode: "slots", idle: "10m" }`, or take out the operator that remembers events or waits',
    exit: EXIT.failure,
    status: 500,
  },
  PIPELINE_FAILED: {
    disposition: 'crash',
    means: 'a pipeline failed, and it is declared to stop then (`onError: "stop"`)',
    advice: 'Mend the cause that the detail names and start it again: it goes on with the event that it failed at',
    exit: EXIT.failure,
    status: 500,
  },
  KEY_NOT_OF_PARTITION: {
    disposition: 'crash',
    means:
      'keyBy of a pipeline gives another key than the one under which the event was published, so that events of one key lie in several partitions',
    advice:
      'Publish the events under that key (the contract’s `key`), or declare `spread: "one"`: one process then handles every key',
    exit: EXIT.usage,
    status: 500,
  },
  SLOT_FAILED: {
    disposition: 'dead-letter',
    means:
      'a pipeline threw for a key whose event is not this one: in a timer, at the result of a step, at an event that had waited; the key begins anew with its next event',
    advice:
      'Mend the cause that the detail names. Do not publish the event of this dead letter again: it was handled as usual',
    exit: EXIT.failure,
    status: 500,
  },
  EVENT_LATE: {
    disposition: 'dead-letter',
    means: 'an event came after the watermark had passed its time, so that what it belongs to was put out without it',
    advice:
      'Raise `time.lateness`, or say with `time.late` what to do with late events: "drop", or a function that makes an event of it',
    exit: EXIT.failure,
    status: 422,
  },
  STEP_INVALID: {
    disposition: 'dead-letter',
    means: 'ctx.step was called with something that it cannot work with',
    advice: 'Give it a name, a function, a `timeout` such as "30s" and `attempts` from 1',
    exit: EXIT.failure,
    status: 500,
  },
  STEP_UNAVAILABLE: {
    disposition: 'crash',
    means: 'ctx.step was used where nothing can wait for its result',
    advice:
      'Declare `recovery: { mode: "slots", idle: "10m" }`, as the result of a step comes later than its event, and name both parameters: `(events$, ctx) => …`',
    exit: EXIT.usage,
    status: 500,
  },
  BUCKET_NOT_FOUND: {
    disposition: 'dead-letter',
    means: 'a key-value bucket from which events are enriched is not there',
    advice: 'Create it on the server of the pipeline (nats kv add NAME), or correct its name in bucketView',
    exit: EXIT.notFound,
    status: 404,
  },
  VIEW_VALUE_INVALID: {
    disposition: 'dead-letter',
    means: 'a value in a key-value bucket is not JSON, or not what the schema of bucketView says',
    advice: 'Correct the value (nats kv put), or the schema',
    exit: EXIT.failure,
    status: 422,
  },
  VIEW_UNAVAILABLE: {
    disposition: 'dead-letter',
    means: 'a bucket was asked for where there is no server: in a test, or in a verification over a recording',
    advice:
      'In a test, give the step its result (resolveStep), or the pipeline a view of your own. With millrace verify --run-steps, leave out --file',
    exit: EXIT.failure,
    status: 500,
  },
} as const satisfies Record<string, ErrorEntry>
