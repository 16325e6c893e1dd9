/** What kind of thing a reader does not take. */
export type DifferenceKind =
  'type' | 'required' | 'value' | 'limit' | 'format' | 'field-refused' | 'open-field' | 'variant' | 'undecided'

/** A place at which something may be written that is not read. */
export interface Difference {
  readonly kind: DifferenceKind
  /** Names from the whole to the place; `*` is any item of a list, or any name. */
  readonly path: readonly string[]
  /** What may be written, and what is read. */
  readonly why: string
}

/** At most so many are told. */
export const MOST_DIFFERENCES = 50

export function difference(kind: DifferenceKind, path: readonly string[], why: string): readonly Difference[] {
  return [{ kind, path, why }]
}

/** The same differences, of a place further down. */
export function under(name: string, differences: readonly Difference[]): readonly Difference[] {
  return differences.map((each) => ({ ...each, path: [name, ...each.path] }))
}

/** A value as it stands in a message; long ones are cut. */
export function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? 'nothing'
  return text.length > 40 ? `${text.slice(0, 40)}…` : text
}
