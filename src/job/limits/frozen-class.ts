import type { Cell } from '../../delivery/limits/cell.js'

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
