import type { Cell } from '../../delivery/limits/cell.js'
import type { Clock } from '../../time/clock.js'

// Until when nobody asks a class of models, as the provider has said to one of all.

export interface FrozenClass {
  /** In ms since the Unix epoch; 0: it is not frozen. */
  readonly until: number
  /** Of the failure that said so; '': it is not known. */
  readonly reason: string
}

/** What cannot be read counts as not frozen. */
export function readFrozen(value: unknown): FrozenClass {
  const { until, reason } = (value ?? {}) as { readonly until?: unknown; readonly reason?: unknown }
  const known = typeof until === 'number' && Number.isFinite(until)
  return { until: known ? until : 0, reason: typeof reason === 'string' ? reason : '' }
}

/** Nobody asks before then, in any process. @throws errors of the broker */
export async function freeze(cell: Cell, frozen: FrozenClass): Promise<void> {
  await cell.update((value) => (frozen.until > readFrozen(value).until ? { ...frozen } : undefined))
}

/** A timer is for so long at the most, in ms: the time that all go by may be set. */
const LONGEST_LOOK_MS = 60_000

/**
 * Tells when a class becomes frozen, and when it is so no more: also one that was frozen before anybody here asked, and by a clock
 * that does not go as this one does.
 * @param now the time that all processes go by, in ms since the Unix epoch
 * @returns ends it
 */
export function watchFrozen(cell: Cell, clock: Clock, now: () => number, tell: () => void): () => void {
  let stopTimer = (): void => undefined
  const arm = (): boolean => {
    stopTimer()
    const left = readFrozen(cell.value).until - now()
    if (left <= 0) return false
    stopTimer = clock.after(Math.min(LONGEST_LOOK_MS, Math.floor(left) + 1), () => (arm() ? undefined : tell()))
    return true
  }
  arm()
  const stopListening = cell.onChange(() => {
    arm()
    tell()
  })
  return () => {
    stopTimer()
    stopListening()
  }
}
