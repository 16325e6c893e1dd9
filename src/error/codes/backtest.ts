import { EXIT } from '../exit-code.js'
import type { ErrorEntry } from '../disposition.js'

/** Errors of `millrace backtest` and `millrace rules explain`. */
export const BACKTEST_ERRORS = {
  LABEL_INVALID: {
    disposition: 'reject',
    means: 'what --label says is neither a condition on events nor the name of an event type',
    advice: "Write a field such as data.isFraud, a condition such as data.status == 'fraud', or the type of an event",
    exit: EXIT.usage,
    status: 400,
  },
  EXPLAIN_UNABLE: {
    disposition: 'reject',
    means: 'what a rule of this kind has under way cannot be shown',
    advice: 'Run millrace backtest over the range instead: it shows what the rule finds',
    exit: EXIT.usage,
    status: 422,
  },
} as const satisfies Record<string, ErrorEntry>
