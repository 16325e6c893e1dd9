import { EXIT } from '../exit-code.js'
import type { ErrorEntry } from '../disposition.js'

/** Errors of `millrace verify` and of the test kit. */
export const VERIFY_ERRORS = {
  VERIFY_FAILED: {
    disposition: 'reject',
    means: 'a pipeline or rule does not give the same again: a crash, or a second run, would change what it puts out',
    advice:
      'Look for the likely cause that is named; docs/verify.md has the usual ones. Do not deploy it: its outputs would depend on when it was restarted',
    exit: EXIT.check,
    status: 422,
  },
  VERIFY_NOTHING: {
    disposition: 'reject',
    means: 'there is nothing to verify with: the range has no message that the pipeline or rule reads',
    advice: 'Choose another range with --from-seq and --to-seq, or a recording with --file',
    exit: EXIT.usage,
    status: 400,
  },
  TEST_INVALID: {
    disposition: 'reject',
    means: 'a test asks for something that the test kit cannot do',
    advice: 'Correct the call that the detail names; docs/testing.md has examples',
    exit: EXIT.usage,
    status: 400,
  },
  TEST_DIFFERS: {
    disposition: 'reject',
    means: 'what came out is not what the test expects',
    advice: 'Compare both sides: - is what was expected, + what came out',
    exit: EXIT.check,
    status: 422,
  },
} as const satisfies Record<string, ErrorEntry>
