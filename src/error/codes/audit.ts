import { EXIT } from '../exit-code.js'
import type { ErrorEntry } from '../disposition.js'

/** Errors of `millrace audit`. */
export const AUDIT_ERRORS = {
  AUDIT_BROKEN: {
    disposition: 'reject',
    means: 'the audit export is not as it was written: a line was changed, added or taken out, or it is no export',
    advice:
      'Compare it with another copy from the line that is named, and with the stream: millrace audit verify --against-stream',
    exit: EXIT.check,
    status: 422,
  },
  AUDIT_DIFFERS: {
    disposition: 'reject',
    means: 'the audit export is whole, and the stream holds something else',
    advice:
      'Find out who may delete messages or write the file; a stream that was restored from an older backup lacks its end',
    exit: EXIT.check,
    status: 422,
  },
} as const satisfies Record<string, ErrorEntry>
