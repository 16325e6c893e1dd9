/** Freezes data as it was read from JSON, down to the last; what is frozen already is not looked into again. */
export function freezeData(value: unknown): void {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return
  Object.freeze(value)
  if (Array.isArray(value)) for (const item of value) freezeData(item)
  else for (const name in value) freezeData((value as Record<string, unknown>)[name])
}
