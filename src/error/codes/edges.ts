import { EXIT } from '../exit-code.js'
import type { ErrorEntry } from '../disposition.js'

/** Errors of sinks and sources: what comes into streams from elsewhere, and what goes out of them. */
export const EDGES_ERRORS = {
  EDGE_FENCED: {
    disposition: 'retry',
    means: 'another process has gone on with this sink or source',
    advice: 'Nothing: it runs there. When it happens often, look why processes are taken for dead',
    exit: EXIT.conflict,
    status: 409,
  },
  EDGE_RECORD_INVALID: {
    disposition: 'crash',
    means: 'what says how far a sink or source is cannot be read',
    advice: 'Look who else writes to subjects that begin with millrace. in the stream',
    exit: EXIT.check,
    status: 500,
  },
  EDGE_FAILED: {
    disposition: 'retry',
    means: 'a sink or source failed with an error that nobody expects',
    advice: 'Read the detail; it begins anew from what is stored, by itself',
    exit: EXIT.failure,
    status: 500,
  },
  SINK_FILE_FAILED: {
    disposition: 'retry',
    means: 'a file of a sink cannot be written',
    advice:
      'The detail has what the system says: look at the folder and who may write to it. The sink goes on by itself',
    exit: EXIT.failure,
    status: 500,
  },
  SINK_FILE_FORMER: {
    disposition: 'retry',
    means:
      'a file of other events had the name of one that a sink begins, as after its stream was deleted and made again',
    advice: 'It is kept as `<name>.former-<number>`: move it where it belongs, or delete it',
    exit: EXIT.conflict,
    status: 409,
  },
  SINK_FILE_FULL: {
    disposition: 'retry',
    means: 'there is no room left for the file of a sink, which stands still',
    advice: 'Make room on the disk; the sink goes on by itself, from where it was',
    exit: EXIT.failure,
    status: 507,
  },
  SINK_FILE_LOST: {
    disposition: 'crash',
    means: 'the file of a sink is not where it was, or shorter than what was written to it',
    advice:
      'Bring the file back, or run the sink on the machine that has it (`millrace run --only sink-NAME`); to begin anew, give the sink another name',
    exit: EXIT.conflict,
    status: 500,
  },
  SINK_LINE_INVALID: {
    disposition: 'dead-letter',
    means: 'the line of an event could not be made',
    advice: 'The detail has what `line` or `where` of the sink threw; correct it. The event is in its dead letter',
    exit: EXIT.rejected,
    status: 422,
  },
  SOURCE_CAPTURE_LOST: {
    disposition: 'retry',
    means: 'a capture stream has forgotten messages that its source had not read',
    advice: 'Raise `keep` of the source, or see that it runs; what was forgotten is lost',
    exit: EXIT.failure,
    status: 500,
  },
  SOURCE_CAPTURE_REPLACED: {
    disposition: 'retry',
    means: 'the capture stream of a source was deleted and made again; what its source had not read is gone with it',
    advice: 'Nothing, if it was on purpose: the new one is read from its beginning; else restore what was captured',
    exit: EXIT.failure,
    status: 500,
  },
  SOURCE_FILE_FAILED: {
    disposition: 'retry',
    means: 'the file of a source cannot be read',
    advice: 'The detail has what the system says: look who may read it. The source goes on by itself',
    exit: EXIT.failure,
    status: 500,
  },
  SOURCE_FILE_MISSING: {
    disposition: 'retry',
    means: 'the file of a source is not there',
    advice:
      'Nothing, when it is still to come: the source waits for it. Where another machine has it, run the source there (`millrace run --only source-NAME`)',
    exit: EXIT.notFound,
    status: 404,
  },
  SOURCE_FILE_REPLACED: {
    disposition: 'retry',
    means: 'the file that a source was reading is gone, and another one has its name',
    advice: 'Look whether the former file had more lines than were read; have rotated files kept until they are read',
    exit: EXIT.failure,
    status: 500,
  },
  SOURCE_INPUT_INVALID: {
    disposition: 'dead-letter',
    means: 'what a source was given is no event',
    advice: 'The detail says why; correct who writes it, or `map` of the source',
    exit: EXIT.rejected,
    status: 422,
  },
  SOURCE_INVALID: {
    disposition: 'crash',
    means: 'a source is declared in a way that cannot work',
    advice: 'Correct what the detail names',
    exit: EXIT.usage,
    status: 400,
  },
  SOURCE_LINE_TOO_LONG: {
    disposition: 'dead-letter',
    means: 'a line of a file is longer than its source reads',
    advice: 'Raise `longest` of the source; its beginning is in the dead letter',
    exit: EXIT.rejected,
    status: 413,
  },
  SOURCE_BUSY: {
    disposition: 'reject',
    means: 'an HTTP source has as much in hand as it takes',
    advice: 'Send it again after the time of Retry-After',
    exit: EXIT.failure,
    status: 429,
  },
  SOURCE_METHOD_REFUSED: {
    disposition: 'reject',
    means: 'an HTTP source takes POST alone',
    advice: 'Send events with POST',
    exit: EXIT.usage,
    status: 405,
  },
  SOURCE_PATH_UNKNOWN: {
    disposition: 'reject',
    means: 'an HTTP source has nothing at this path',
    advice: 'Send events to the `path` that the source declares',
    exit: EXIT.notFound,
    status: 404,
  },
  SOURCE_PORT_TAKEN: {
    disposition: 'retry',
    means: 'the port of an HTTP source is taken, or may not be used',
    advice:
      'Nothing, where another process of the same source has it: this one takes over when it ends. Else give the source another port',
    exit: EXIT.conflict,
    status: 503,
  },
  SOURCE_REQUEST_TOO_LARGE: {
    disposition: 'reject',
    means: 'a request has more bytes or events than an HTTP source takes',
    advice: 'Send fewer at once, or raise `mostBytes` or `mostEvents` of the source',
    exit: EXIT.rejected,
    status: 413,
  },
  SOURCE_TYPE_UNSUPPORTED: {
    disposition: 'reject',
    means: 'an HTTP source does not read this type of content',
    advice:
      'Send application/json, application/cloudevents+json, application/cloudevents-batch+json or application/x-ndjson',
    exit: EXIT.rejected,
    status: 415,
  },
  SOURCE_UNAUTHORIZED: {
    disposition: 'reject',
    means: '`authorize` of an HTTP source has refused a request',
    advice: 'Send what it asks for',
    exit: EXIT.rejected,
    status: 401,
  },
  WEBHOOK_INVALID: {
    disposition: 'crash',
    means: 'a webhook is declared in a way that cannot work',
    advice: 'Correct what the detail names in defineWebhook',
    exit: EXIT.usage,
    status: 400,
  },
  WEBHOOK_SETTING_INVALID: {
    disposition: 'crash',
    means: 'a setting that a webhook names, a secret or an address, is missing or cannot be used',
    advice:
      'Set the environment variable that the detail names; a secret is `whsec_` and 24 to 64 random bytes as base64',
    exit: EXIT.usage,
    status: 500,
  },
  WEBHOOK_ADDRESS_REFUSED: {
    disposition: 'dead-letter',
    means: 'a webhook would go to an address that it may not go to: one of this machine or of a private network',
    advice:
      'Correct the URL; where the address is meant, name it in `allow` of the webhook. Then redrive the dead letter',
    exit: EXIT.rejected,
    status: 403,
  },
  WEBHOOK_DISABLED: {
    disposition: 'dead-letter',
    means: 'an endpoint has said that it is gone (410), and is called no more',
    advice: 'When it is there again, run `millrace sinks enable`, then redrive its dead letters',
    exit: EXIT.conflict,
    status: 410,
  },
  WEBHOOK_REFUSED: {
    disposition: 'retry',
    means: 'an endpoint has not taken an event: it answered with something else than 2xx',
    advice: 'Look at the status and the answer in the detail; it is tried again by the schedule of the webhook',
    exit: EXIT.failure,
    status: 502,
  },
  WEBHOOK_TOO_LARGE: {
    disposition: 'dead-letter',
    means: 'what a webhook would send is larger than it may be',
    advice: 'Have `payload` leave something out, or raise `mostBytes` where the receiver takes more',
    exit: EXIT.rejected,
    status: 413,
  },
  WEBHOOK_UNREACHABLE: {
    disposition: 'retry',
    means: 'an endpoint cannot be reached, or its connection broke before it answered',
    advice: 'Look at the detail, the name and the network; it is tried again by the schedule of the webhook',
    exit: EXIT.connection,
    status: 502,
  },
} as const satisfies Record<string, ErrorEntry>
