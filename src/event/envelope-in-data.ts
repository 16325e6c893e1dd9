// Personal envelope: what stands in stored data in the place of a personal value, for which only its key is missing.
//
//   { "$personal": "<base64 of iv, ciphertext and tag>", "k": "<key id>" }

/** A personal value as it is stored. */
export interface PersonalEnvelope {
  readonly $personal: string
  /** Id of its key: that of the subject, a dot, and which of its keys. */
  readonly k: string
}

export function isPersonalEnvelope(value: unknown): value is PersonalEnvelope {
  if (typeof value !== 'object' || value === null) return false
  const { $personal, k } = value as Partial<PersonalEnvelope>
  return typeof $personal === 'string' && typeof k === 'string'
}

/** Calls `visit` with every envelope in a value of JSON. */
export function visitEnvelopes(value: unknown, visit: (envelope: PersonalEnvelope) => void): void {
  if (typeof value !== 'object' || value === null) return
  if (isPersonalEnvelope(value)) return visit(value)
  for (const name in value) visitEnvelopes((value as Record<string, unknown>)[name], visit)
}

/** The value with something else in the place of each envelope; itself where it has none. It is not changed. */
export function replaceEnvelopes(value: unknown, replace: (envelope: PersonalEnvelope) => unknown): unknown {
  if (typeof value !== 'object' || value === null) return value
  if (isPersonalEnvelope(value)) return replace(value)
  let copy: Record<string, unknown> | undefined
  for (const name in value) {
    const before = (value as Record<string, unknown>)[name]
    const after = replaceEnvelopes(before, replace)
    if (after === before) continue
    copy ??= (Array.isArray(value) ? [...(value as unknown[])] : { ...value }) as Record<string, unknown>
    copy[name] = after
  }
  return copy ?? value
}

/**
 * Puts the envelopes of one value into another of the same shape that has null in their places: what a schema has made
 * of the data without them. Where it has something else, that stays.
 */
export function restoreEnvelopes(checked: unknown, original: unknown): unknown {
  if (isPersonalEnvelope(original)) return checked === null ? original : checked
  if (!isBranch(checked) || !isBranch(original)) return checked
  let copy: Record<string, unknown> | undefined
  for (const name in original) {
    if (!Object.hasOwn(checked, name)) continue
    const before = checked[name]
    const after = restoreEnvelopes(before, original[name])
    if (after === before) continue
    copy ??= (Array.isArray(checked) ? [...(checked as unknown[])] : { ...checked }) as Record<string, unknown>
    copy[name] = after
  }
  return copy ?? checked
}

function isBranch(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null
}
