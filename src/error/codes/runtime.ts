import { EXIT } from '../exit-code.js'
import type { ErrorEntry } from '../disposition.js'

/** Errors of the runtime and the command line. */
export const RUNTIME_ERRORS = {
  STREAMS_FOLDER_MISSING: {
    disposition: 'reject',
    means: 'there is no folder with declarations',
    advice: 'Run the command where a `streams/` folder is, or name it with --streams',
    exit: EXIT.notFound,
    status: 404,
  },
  DECLARATION_INVALID: {
    disposition: 'reject',
    means: 'a file in the streams folder does not declare what its place says',
    advice: 'Correct the file that the detail names; streams/README.md shows the layout',
    exit: EXIT.usage,
    status: 400,
  },
  DECLARATION_UNKNOWN: {
    disposition: 'reject',
    means: 'nothing of that name is declared',
    advice: 'Choose one of the names in the detail',
    exit: EXIT.notFound,
    status: 404,
  },
  INPUT_UNREADABLE: {
    disposition: 'reject',
    means: 'an input file or stream cannot be read',
    advice: 'Check the path and its permissions',
    exit: EXIT.notFound,
    status: 400,
  },
  OUTPUT_UNWRITABLE: {
    disposition: 'reject',
    means: 'an output file cannot be written',
    advice: 'Check that its folder exists, its permissions and the free space',
    exit: EXIT.failure,
    status: 500,
  },
  INPUT_LINE_INVALID: {
    disposition: 'reject',
    means: 'a line of the input is no event',
    advice: 'Write one CloudEvents JSON object per line; the detail says what is wrong with this one',
    exit: EXIT.failure,
    status: 400,
  },
  INPUT_REJECTED: {
    disposition: 'reject',
    means: 'lines of the input were rejected; all others were taken',
    advice: 'Correct the lines that the report names and give them again; the others need no repeating',
    exit: EXIT.failure,
    status: 400,
  },
  DEAD_LETTER_NOT_FOUND: {
    disposition: 'reject',
    means: 'there is no such dead letter',
    advice: 'Find its number with `millrace dead-letters list`',
    exit: EXIT.notFound,
    status: 404,
  },
  REPLAY_RANGE_INVALID: {
    disposition: 'reject',
    means: 'the range to replay cannot be used',
    advice: 'Give --from-seq or --from-time, and an end that is not before it',
    exit: EXIT.usage,
    status: 400,
  },
  REPLAY_LOOP: {
    disposition: 'reject',
    means: 'replaying into a stream that is being read would never end or would store events twice',
    advice: 'Choose a --to-subject outside the stream’s own subjects',
    exit: EXIT.usage,
    status: 409,
  },
  RUNTIME_FAILED: {
    disposition: 'crash',
    means: 'every processor has stopped',
    advice: 'Read the errors above; each names its processor and what to do',
    exit: EXIT.failure,
    status: 500,
  },
} as const satisfies Record<string, ErrorEntry>
