import { fault, isFault, messageOf, type MillraceError } from '../error/millrace-error.js'
import { isMissing, passes } from '../sql/sql-error.js'

/** What was thrown, as what it means for an outbox. */
export function asOutboxFault(error: unknown): MillraceError {
  if (isFault(error)) return error
  if (isMissing(error)) return fault('OUTBOX_SCHEMA_MISSING', messageOf(error), { cause: error })
  const code = passes(error) ? 'OUTBOX_DATABASE_UNREACHABLE' : 'OUTBOX_DATABASE_FAILED'
  return fault(code, messageOf(error), { cause: error })
}
