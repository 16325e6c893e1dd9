/** How many units are read or drained at a time. */
const AT_ONCE = 8

/**
 * Does something with each, some at a time, and resolves with what came of it, in order. When one fails, no more are
 * begun, and those that were are waited for. @throws what the first one threw
 */
export async function inTurns<T, R>(all: readonly T[], work: (one: T) => Promise<R>): Promise<R[]> {
  const results: R[] = []
  for (let at = 0; at < all.length; at += AT_ONCE) {
    const settled = await Promise.allSettled(all.slice(at, at + AT_ONCE).map((one) => work(one)))
    for (const one of settled) {
      if (one.status === 'rejected') throw one.reason
      results.push(one.value)
    }
  }
  return results
}
