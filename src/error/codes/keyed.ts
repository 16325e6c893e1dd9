import { EXIT } from '../exit-code.js'
import type { ErrorEntry } from '../disposition.js'

/** Errors of state by key: of defineKeyed, of durable operators, of checkpoints. */
export const KEYED_ERRORS = {
  KEYED_STATE_INVALID: {
    disposition: 'dead-letter',
    means: 'a handler or an operator would keep something in the state of a key that JSON would not bring back',
    advice:
      'Keep numbers, texts, booleans, null, lists and plain objects; in place of undefined delete the member, in place of a Date keep its milliseconds',
    exit: EXIT.failure,
    status: 500,
  },
  KEYED_STATE_NOT_STORABLE: {
    disposition: 'crash',
    means: 'the state of a key cannot be stored, so that nothing more can be committed',
    advice:
      'Mend the handler or the value that the detail names; nothing after the last commit was stored, and the processor goes on from there',
    exit: EXIT.failure,
    status: 500,
  },
  KEYED_STATE_UNREADABLE: {
    disposition: 'crash',
    means: 'the stored state of a key does not fit this version of the code',
    advice:
      'Give `migrate` for the version that the detail names, or run the version that wrote it; to start without state, give the pipeline a new name',
    exit: EXIT.conflict,
    status: 500,
  },
  KEYED_TIMER_FAILED: {
    disposition: 'dead-letter',
    means:
      'onTimer threw: what it did is undone, its timer is gone, and the event that moved time was handled as usual',
    advice:
      'Mend onTimer. Do not publish the event of this dead letter again: it only made time pass. Give the key a timer by its next event if it has to end',
    exit: EXIT.failure,
    status: 500,
  },
  KEYED_TIMER_INVALID: {
    disposition: 'dead-letter',
    means: 'a handler set a timer that cannot be: without a name, without a time, or without onTimer',
    advice: 'Pass timer(name, at) a name and a finite number of milliseconds, and declare onTimer',
    exit: EXIT.failure,
    status: 500,
  },
  KEYED_ASYNC: {
    disposition: 'dead-letter',
    means: 'a handler of defineKeyed returned a promise, whose end a replay could not repeat',
    advice: 'Make the handler synchronous; put asynchronous work into a pipeline with ctx.step',
    exit: EXIT.failure,
    status: 500,
  },
  CHECKPOINT_FOREIGN_TIMER: {
    disposition: 'crash',
    means:
      'a pipeline in checkpoint mode set a timer that is not an operator’s of ctx.ops, and would be lost by a restart',
    advice:
      'Use the operator of ctx.ops in its place (bufferTime, debounceTime, delay …), or declare `recovery: { mode: "slots" }`',
    exit: EXIT.usage,
    status: 500,
  },
  CHECKPOINT_FOREIGN_STATE: {
    disposition: 'crash',
    means:
      'a pipeline in checkpoint mode keeps state outside of ctx.ops: brought back from what is stored, it put out something else',
    advice:
      'Use the operator of ctx.ops in place of the one that remembers (scan, bufferCount, distinct, take …), keep no variables in the pipeline, or declare `recovery: { mode: "slots" }`',
    exit: EXIT.usage,
    status: 500,
  },
  CHECKPOINT_OPERATOR_INSIDE: {
    disposition: 'crash',
    means:
      'an operator of ctx.ops was subscribed while an event was handled, and went on after it: a restart would not find it',
    advice:
      'Put it outside of mergeMap, switchMap and the like, on the events of the key; inside, it must end with the values of its event',
    exit: EXIT.usage,
    status: 500,
  },
} as const satisfies Record<string, ErrorEntry>
