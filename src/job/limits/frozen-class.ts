import type { Cell } from '../../delivery/limits/cell.js'

// Until when nobody asks a class of models, as the provider has said to one of all.

/** In ms since the Unix epoch; 0: it is not frozen. What cannot be read counts as not. */
export function frozenUntil(value: unknown): number {
  const { until } = (value ?? {}) as { readonly until?: unknown }
  return typeof until === 'number' && Number.isFinite(until) ? until : 0
}

/** Nobody asks before then, in any process. @throws errors of the broker */
export async function freezeUntil(cell: Cell, until: number): Promise<void> {
  await cell.update((value) => (until > frozenUntil(value) ? { until } : undefined))
}
