import { EXIT } from '../exit-code.js'
import type { ErrorEntry } from '../disposition.js'

/** Errors of the kernel and of the pipelines and rules that run on it. */
export const PROCESSING_ERRORS = {
  PROCESSOR_FENCED: {
    disposition: 'crash',
    means: 'another process has taken over this processor; nothing of this one’s later work was stored',
    advice:
      'The other process goes on where this one was, so nothing has to be done after a pause, a slow start or a lost link. If it happens again and again, somebody runs the same processor outside of this group: stop one of the two',
    exit: EXIT.conflict,
    status: 409,
  },
  PROCESSOR_NONDETERMINISTIC: {
    disposition: 'crash',
    means: 'replaying the log gave other outputs than those stored',
    advice:
      'Look in the processor for Date.now, Math.random or state outside it (millrace verify finds where); give changed code a new version',
    exit: EXIT.failure,
    status: 500,
  },
  COMMIT_WAITS: {
    disposition: 'retry',
    means:
      'what a processor stores outside of its stream before its position, such as the rows of a view, is not stored yet',
    advice:
      'Look at the database or the bucket that the rows are in: it is away, locked or full. It is tried until they are stored; other processors go on',
    exit: EXIT.failure,
    status: 503,
  },
  COMMIT_RECORD_INVALID: {
    disposition: 'crash',
    means: 'the last commit record of a processor cannot be read',
    advice: 'Check who else may write to the commit subject; only the runtime’s user should',
    exit: EXIT.conflict,
    status: 500,
  },
  COMMIT_RECORD_GONE: {
    disposition: 'crash',
    means: 'the commit record of a processor that has run before was deleted, so that its position is not known',
    advice:
      'Find out who purged the stream. To run the processor from the beginning again, delete its consumer first; its outputs are then stored once more',
    exit: EXIT.conflict,
    status: 410,
  },
  SNAPSHOT_INVALID: {
    disposition: 'crash',
    means: 'the stored state of a processor cannot be read',
    advice: 'Run the version that wrote it, or give the processor a new name to start afresh',
    exit: EXIT.conflict,
    status: 500,
  },
  VERSION_CHANGED: {
    disposition: 'crash',
    means:
      'the code of a processor has changed, and it does not say what is to become of the state of the code before it',
    advice:
      'Give the declaration an `upgrade`: drain (what is open ends under the old code), rebuild (state is made anew from the log), keep (it goes on with the stored state; not in mode slots) or cut (it begins empty)',
    exit: EXIT.conflict,
    status: 409,
  },
  REBUILD_WITH_STEPS: {
    disposition: 'crash',
    means:
      'the state of changed code was made anew from the log, and waits for a step whose result the former code has had',
    advice:
      'Deploy it with `upgrade: { drain: former }` or `cut` in place of `rebuild`, or wait until the keys that asked for steps are idle; the former code may go on meanwhile',
    exit: EXIT.conflict,
    status: 409,
  },
  DRAIN_ENDLESS: {
    disposition: 'crash',
    means: 'the former code of a pipeline does not come to an end when no events come',
    advice: 'Run the former code until its keys are idle, or choose upgrade rebuild or cut',
    exit: EXIT.conflict,
    status: 409,
  },
  VERSION_OLDER: {
    disposition: 'crash',
    means: 'a newer version of a processor has taken over already',
    advice: 'Deploy the newer version here too. To go back, give the old code a higher version number',
    exit: EXIT.conflict,
    status: 409,
  },
  PARTITIONS_CHANGED: {
    disposition: 'crash',
    means:
      'the number of partitions of a stream is not the one that a processor has worked with, so that its keys are elsewhere now',
    advice:
      'Declare the number that the stream has (millrace streams plan shows it). To change it: millrace streams repartition STREAM --to N. A pipeline whose spread is another one: declare it as it was, or give it another name',
    exit: EXIT.conflict,
    status: 409,
  },
  PROCESS_KILLED: {
    disposition: 'dead-letter',
    means: 'handling a message ended the whole process, again and again',
    advice: 'Look for what the message makes the process do (memory, an endless loop, a crash of native code)',
    exit: EXIT.failure,
    status: 500,
  },
  TURN_FAILED: {
    disposition: 'dead-letter',
    means: 'a pipeline or rule threw while it handled an event',
    advice:
      'Mend the cause that the detail names. Where its key is parked, redrive it (millrace parked redrive); else publish the event again (millrace dead-letters show has it)',
    exit: EXIT.failure,
    status: 500,
  },
  OUTPUT_INVALID: {
    disposition: 'dead-letter',
    means: 'a pipeline or rule put out something that is no event of its declared outputs',
    advice: 'Emit what the output’s contract makes, and list the contract under `to.events`',
    exit: EXIT.failure,
    status: 500,
  },
  EMITTED_OUTSIDE_TURN: {
    disposition: 'crash',
    means: 'a pipeline emitted while no event was being handled, which a replay could not repeat',
    advice:
      'Put what is asynchronous (a promise, setTimeout, a shared Subject) into ctx.step, in mode slots; use the timers of RxJS, or of ctx.ops in mode checkpoint. In mode stateless each event’s outputs come at once. The context of a handler is of no use after it',
    exit: EXIT.failure,
    status: 500,
  },
  TURN_STUCK: {
    disposition: 'crash',
    means: 'code that the process was given did not return, so that nothing else was done; the process was ended',
    advice:
      'Mend what loops or waits in the code that the detail names. Start the process again: a message that ends it each time becomes a dead letter, and the others go on. Turns that take longer on purpose need a larger --stuck-after',
    exit: EXIT.failure,
    status: 500,
  },
  PIPELINE_COMPLETED: {
    disposition: 'crash',
    means: 'a pipeline completed, so that later events would be ignored',
    advice: 'Remove operators that end the stream, such as take and first',
    exit: EXIT.failure,
    status: 500,
  },
  PIPELINE_INVALID: {
    disposition: 'reject',
    means: 'a pipeline declaration cannot be used',
    advice: 'Correct the field that the detail names',
    exit: EXIT.usage,
    status: 400,
  },
} as const satisfies Record<string, ErrorEntry>
