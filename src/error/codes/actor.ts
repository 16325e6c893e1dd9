import { EXIT } from '../exit-code.js'
import type { ErrorEntry } from '../disposition.js'

/** Errors of aggregates and the actors that own them, by code. */
export const ACTOR_ERRORS = {
  ACTOR_ASYNC: {
    disposition: 'dead-letter',
    means: 'decide, evolve or a reaction of an actor returned a promise, whose end a replay could not repeat',
    advice: 'Make it synchronous; return step(name, input) for work that takes time, and declare it in `steps`',
    exit: EXIT.failure,
    status: 500,
  },
  ACTOR_INVALID: {
    disposition: 'crash',
    means: 'an actor is declared in a way that cannot work',
    advice: 'Correct what the detail names in defineActor',
    exit: EXIT.usage,
    status: 400,
  },
  ACTOR_REPLAY_DIFFERS: {
    disposition: 'crash',
    means: 'a command was decided otherwise when the state of its aggregate was read back from what is stored',
    advice:
      'Keep in the state what JSON brings back, decide by nothing but state, command and context, and give the state a schema',
    exit: EXIT.check,
    status: 500,
  },
  AGGREGATE_EVENT_UNKNOWN: {
    disposition: 'dead-letter',
    means: 'the history of an aggregate has an event of a type that its actor does not declare',
    advice: 'Keep the contract in `events` and its handler in `evolve` as long as such events are stored',
    exit: EXIT.failure,
    status: 500,
  },
  AGGREGATE_HAS_OWNER: {
    disposition: 'reject',
    means: 'an actor owns the aggregates of this type, and alone decides what happens to them',
    advice: 'Send the actor a command with tell or request; the event store may read what it has decided',
    exit: EXIT.conflict,
    status: 409,
  },
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
  AGGREGATE_NOT_FOUND: {
    disposition: 'reject',
    means: 'nothing was ever decided about an aggregate of this type and id, or not by then',
    advice: 'Compare the id with that of its commands or events, letter by letter',
    exit: EXIT.notFound,
    status: 404,
  },
  AGGREGATE_PARKED: {
    disposition: 'reject',
    means: 'an earlier command of the aggregate could not be decided, and this one is kept behind it, in its order',
    advice:
      'It is stored and need not be sent again: mend what millrace parked list says of the aggregate, and have its commands decided with millrace parked redrive; then ask for the outcome again, with the same id',
    exit: EXIT.conflict,
    status: 409,
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
  AGGREGATE_STUCK: {
    disposition: 'dead-letter',
    means: 'a command that waited behind a step of its aggregate could not be decided, and nothing gets past it',
    advice:
      'Mend what the detail names and redrive the aggregate (millrace parked redrive): what waits is decided first, in its order',
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
  APPEND_INVALID: {
    disposition: 'reject',
    means: 'what was to be appended to aggregates cannot be stored as one',
    advice:
      'Append 1 event or more to each aggregate, name each aggregate once, and stay below 1,000 messages in one call',
    exit: EXIT.usage,
    status: 400,
  },
  COMMAND_OUTCOME_UNKNOWN: {
    disposition: 'reject',
    means: 'what becomes of a command was not known in time; it may have its effect yet',
    advice:
      'Ask again, or send the command once more with the same id: it has one effect however often it is sent. See with millrace status whether the actor runs, and with millrace parked list whether the aggregate waits',
    exit: EXIT.unknown,
    status: 504,
  },
  COMMAND_UNKNOWN: {
    disposition: 'dead-letter',
    means: 'an actor was given a command that it does not declare',
    advice:
      'Send one of the commands that the detail lists, or add the contract to `commands` and its handler to `decide`',
    exit: EXIT.usage,
    status: 422,
  },
  DECIDE_FAILED: {
    disposition: 'dead-letter',
    means: 'decide of an actor threw; nothing of this command was stored',
    advice:
      'Mend the handler that the detail names. To refuse a command, return reject(code, message): a rejection is an answer, not a failure',
    exit: EXIT.failure,
    status: 500,
  },
  DECIDE_MUTATES: {
    disposition: 'dead-letter',
    means: 'decide of an actor changed the state or the command that it was given',
    advice: 'Return an event and let evolve make the new state of it; copy what has to be changed on the way',
    exit: EXIT.failure,
    status: 500,
  },
  DECISION_INVALID: {
    disposition: 'dead-letter',
    means: 'decide of an actor returned something that is no decision; nothing of this command was stored',
    advice:
      'Return a list of drafts of the declared events and of send, setTimer, cancelTimer, step and close, or reject(code, message)',
    exit: EXIT.failure,
    status: 500,
  },
  DECISION_TOO_LARGE: {
    disposition: 'dead-letter',
    means: 'what was decided about one command is more than a batch holds; nothing of it was stored',
    advice: 'Make fewer events and effects of one command: send the actor commands of its own for the rest',
    exit: EXIT.failure,
    status: 500,
  },
  EVOLVE_FAILED: {
    disposition: 'dead-letter',
    means: 'evolve of an actor could not take an event, so that the state of the aggregate is not known',
    advice:
      'Make evolve take every event that was ever stored: it decides nothing, it only writes down. The detail names aggregate, version and event',
    exit: EXIT.failure,
    status: 500,
  },
  EVOLVE_MUTATES: {
    disposition: 'dead-letter',
    means: 'evolve of an actor changed the state or the event that it was given, in place of returning a new state',
    advice: 'Return a copy with the change: { ...state, balance: state.balance + event.data.amount }',
    exit: EXIT.failure,
    status: 500,
  },
  EXPECTED_VERSION_CONFLICT: {
    disposition: 'reject',
    means: 'the aggregate is at another version than the writer expected: nothing was stored',
    advice: 'Read the aggregate again, decide anew from what it is now, and append with the version that was read',
    exit: EXIT.conflict,
    status: 409,
  },
  INVARIANT_BROKEN: {
    disposition: 'dead-letter',
    means: 'the state of an aggregate is one that its actor declares to be impossible',
    advice: 'Refuse the command with reject(code, message) before it comes to this, or correct the invariant',
    exit: EXIT.check,
    status: 500,
  },
  REACTION_FAILED: {
    disposition: 'dead-letter',
    means: 'a reaction of an actor threw, or made of an event something that is no command of the actor',
    advice:
      'Return a command of the actor, a list of them, or undefined; what depends on the state belongs into decide',
    exit: EXIT.failure,
    status: 500,
  },
  SEND_UNDECLARED: {
    disposition: 'dead-letter',
    means: 'decide of an actor sent a command to an actor of another context, and nothing carries it there',
    advice:
      'Name the stream of that context in `sends` of the actor, deploy it, and redrive the aggregate (millrace parked redrive)',
    exit: EXIT.usage,
    status: 500,
  },
  STEP_RESULT_FAILED: {
    disposition: 'dead-letter',
    means: 'done or failed of a step made no command of the result that its actor could take',
    advice: 'Return a command of the same aggregate from done and failed',
    exit: EXIT.failure,
    status: 500,
  },
} as const satisfies Record<string, ErrorEntry>
