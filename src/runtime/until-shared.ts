import type { Ownership } from '../kernel/ownership/ownership.js'
import type { Clock } from '../time/clock.js'

/** How long a start waits for its share of the units, in ms; what takes longer goes on beside. */
const SHARE_MS = 10_000

/**
 * Resolves when this process runs its share of the units, so that who waits for it to be ready finds it at work.
 * @param failed units that have failed here
 */
export async function untilShared(
  clock: Clock,
  ownership: Ownership,
  units: number,
  failed: ReadonlyMap<string, unknown>,
): Promise<void> {
  const until = clock.monotonic() + SHARE_MS
  const share = (): number => Math.floor(units / Math.max(1, ownership.members.length))
  while (ownership.held.length + failed.size < share() && clock.monotonic() < until) await clock.sleep(10)
}
