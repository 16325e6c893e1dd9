const LONGEST = 120

/** What JSON makes of a value; undefined of what is none. */
export function plainJson(value: unknown): unknown {
  const text = JSON.stringify(value) as string | undefined
  return text === undefined ? undefined : (JSON.parse(text) as unknown)
}

/** Where two JSON values are first different, in a few words: `events[0].data.amount is 5, and then 6`; undefined: nowhere. */
export function firstDifference(one: unknown, other: unknown, path = ''): string | undefined {
  if (!isPart(one) || !isPart(other) || Array.isArray(one) !== Array.isArray(other))
    return Object.is(one, other) ? undefined : `${path === '' ? 'it' : path} is ${show(one)}, and then ${show(other)}`
  for (const name of new Set([...Object.keys(one), ...Object.keys(other)])) {
    const within = Array.isArray(one) ? `${path}[${name}]` : path === '' ? name : `${path}.${name}`
    const difference = firstDifference(one[name], other[name], within)
    if (difference !== undefined) return difference
  }
  return undefined
}

function isPart(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null
}

function show(value: unknown): string {
  const text = JSON.stringify(value) ?? 'missing'
  return text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text
}
