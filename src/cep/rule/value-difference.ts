/** A place in two pieces of data at which they differ. */
export interface Difference {
  /** `within`, `sequence[1].hit.times`. */
  readonly path: string
  /** Undefined: there is nothing. */
  readonly before: unknown
  readonly after: unknown
}

/** Where two pieces of plain data differ, in their order: the smallest places that tell it. */
export function valueDifference(before: unknown, after: unknown, path = ''): Difference[] {
  if (JSON.stringify(before) === JSON.stringify(after)) return []
  if (Array.isArray(before) && Array.isArray(after))
    return Array.from({ length: Math.max(before.length, after.length) }, (_, at) => at).flatMap((at) =>
      valueDifference(before[at], after[at], `${path}[${at}]`),
    )
  if (!isRecord(before) || !isRecord(after)) return [{ path, before, after }]
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])]
  // a stage is a map with its name only: another name is another stage
  if (path.endsWith(']') && !names.some((name) => name in before && name in after)) return [{ path, before, after }]
  return names.flatMap((name) => valueDifference(before[name], after[name], path === '' ? name : `${path}.${name}`))
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
