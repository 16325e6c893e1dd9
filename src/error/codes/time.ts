import { EXIT } from '../exit-code.js'
import type { ErrorEntry } from '../disposition.js'

/** Errors of event time: of its scheduler, of the clocks of rxjs, and of calls that a replay could not repeat. */
export const TIME_ERRORS = {
  TIME_INVALID: {
    disposition: 'crash',
    means: 'event time was given something that is no time, or was used before it was set',
    advice: 'Check what sets the time of the events; a number of milliseconds since 1970 is expected',
    exit: EXIT.failure,
    status: 500,
  },
  EVENT_TIME_INVALID: {
    disposition: 'dead-letter',
    means: 'an event has no usable event time',
    advice:
      'Let `time.of` give a finite number of milliseconds since 1970 for every event, or correct the publisher and publish the event again (millrace dead-letters show has it)',
    exit: EXIT.failure,
    status: 422,
  },
  TIME_REENTERED: {
    disposition: 'crash',
    means: 'event time was moved from within a timer that it was firing',
    advice: 'Move time from outside: a timer only puts out events and schedules other timers',
    exit: EXIT.failure,
    status: 500,
  },
  TIMER_LIVELOCK: {
    disposition: 'crash',
    means: 'timers of a pipeline follow each other at one instant without end',
    advice: 'Give interval, timer, expand or repeat a period above 0 ms; a bound on their number helps too',
    exit: EXIT.failure,
    status: 500,
  },
  TURN_NESTED: {
    disposition: 'crash',
    means: 'a turn was started inside of another, which would mix the timers of two pipelines',
    advice: 'Let the second pipeline read what the first one puts out from its stream, not from a shared Subject',
    exit: EXIT.failure,
    status: 500,
  },
  NONDETERMINISTIC_CALL: {
    disposition: 'crash',
    means: 'a pipeline asked the machine for time or chance, which a replay could not repeat',
    advice: 'Use ctx.now(), ctx.random() and ctx.uuid(); put what must ask the outside world into ctx.step()',
    exit: EXIT.failure,
    status: 500,
  },
  RXJS_FOREIGN: {
    disposition: 'crash',
    means: 'the rxjs of the pipelines is not the one that Millrace holds, so that its timers would miss event time',
    advice:
      'Install one rxjs ~7.8 for both: `npm ls rxjs` shows where there are two, `npm dedupe` may be enough. A package that npm installs from a folder is a link and keeps its own: install what `npm pack` makes of it',
    exit: EXIT.failure,
    status: 500,
  },
} as const satisfies Record<string, ErrorEntry>
