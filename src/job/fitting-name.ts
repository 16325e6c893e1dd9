/**
 * Which of these names a model has: its own, or the longest beginning of it with a `*` behind.
 * @returns undefined: none of them
 */
export function fittingName(names: readonly string[], model: string): string | undefined {
  if (names.includes(model)) return model
  return names
    .filter((name) => name.endsWith('*') && model.startsWith(name.slice(0, -1)))
    .sort((a, b) => b.length - a.length)[0]
}
