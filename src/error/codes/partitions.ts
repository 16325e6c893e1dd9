import { EXIT } from '../exit-code.js'
import type { ErrorEntry } from '../disposition.js'

/** Errors of changing the number of partitions of a stream. */
export const PARTITIONS_ERRORS = {
  REPARTITION_UNDERWAY: {
    disposition: 'retry',
    means: 'the number of partitions of a stream is being changed, and its processors wait for that',
    advice:
      'Wait for the command that does it; if it was ended, run it again: millrace streams repartition STREAM --to N goes on where it was',
    exit: EXIT.conflict,
    status: 409,
  },
  REPARTITION_UNSUPPORTED: {
    disposition: 'reject',
    means: 'the number of partitions of this stream cannot be changed while a processor reads it that cannot follow',
    advice:
      'Do what the detail says. Where nothing helps: declare a new stream with the other number and have its publishers and processors move to it',
    exit: EXIT.conflict,
    status: 409,
  },
  REPARTITION_READER_UNKNOWN: {
    disposition: 'reject',
    means: 'somebody reads single partitions of the stream who is not declared here, and would be left behind',
    advice:
      'Run the command where every reader of the stream is declared. A reader that is no more: delete its consumer (nats consumer rm STREAM NAME)',
    exit: EXIT.conflict,
    status: 409,
  },
  REPARTITION_OTHER_VERSION: {
    disposition: 'reject',
    means: 'a processor that reads the stream runs other code than is declared here',
    advice: 'Run the command with the declarations that are deployed, or deploy these first and let them take over',
    exit: EXIT.conflict,
    status: 409,
  },
  REPARTITION_KEYS_ASTRAY: {
    disposition: 'reject',
    means:
      'the events of a key lie in a partition that is not the one of that key, so that its state would not find them again',
    advice:
      'Have every publisher name the key in the subject: <root>.<key>.<type>, as millrace publish does. To begin without the state of such a processor, add --cut PROCESSOR',
    exit: EXIT.conflict,
    status: 409,
  },
  REPARTITION_SLOTS_LIVE: {
    disposition: 'reject',
    means:
      'a pipeline in mode slots has keys that are not idle; what their operators hold cannot be moved to another partition',
    advice:
      'Stop publishing until its keys are idle, and run the command again. Or add --cut PROCESSOR: they end then as if they were idle, and begin anew with their next event',
    exit: EXIT.conflict,
    status: 409,
  },
  REPARTITION_NOT_PAUSED: {
    disposition: 'reject',
    means: 'a process goes on running a processor that was asked to pause',
    advice: 'Look who it is (millrace status --units), and stop that process; then run the command again',
    exit: EXIT.conflict,
    status: 409,
  },
  REPARTITION_PROCESSOR_FAILED: {
    disposition: 'reject',
    means: 'a processor failed while it handled what had been stored before the change',
    advice:
      'Mend what the detail says, or let the deployed code run into it and mend it there, and run the command again; it goes on where it was',
    exit: EXIT.failure,
    status: 500,
  },
} as const satisfies Record<string, ErrorEntry>
