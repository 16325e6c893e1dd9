/** SQLSTATE of what another attempt may do: connections, shutdown, resources, deadlocks; and codes of drivers. */
const PASSES = /^(?:08|53|57P|40|55P03|ECONN|EPIPE|ETIMEDOUT|ENOTFOUND|EAI_AGAIN|CONNECT|EHOST)/

/** SQLSTATE of a table, a column or a schema that is not there. */
const MISSING = /^(?:42P01|42703|3F000)$/

/** SQLSTATE, or what the driver says instead; empty when it says nothing. */
export function sqlCodeOf(error: unknown): string {
  return typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : ''
}

/** Whether the database, or the way to it, may answer the same thing later. */
export function passes(error: unknown): boolean {
  return PASSES.test(sqlCodeOf(error))
}

/** Whether what is asked for has not been made yet, or no more. */
export function isMissing(error: unknown): boolean {
  return MISSING.test(sqlCodeOf(error))
}
