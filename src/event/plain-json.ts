import { standsInJson } from './plain-text.js'

/** Longer texts JSON.stringify writes as fast. */
const SHORT = 64
const NOTHING: object = {}

/**
 * Writes data as JSON that is one flat object of short ASCII texts and numbers, as that of most outputs is: in half of
 * the time of `JSON.stringify`, and to the same text.
 * @returns undefined for any other data, right or wrong
 */
export function plainJson(data: unknown): string | undefined {
  if (typeof data !== 'object' || data === null || Object.getPrototypeOf(data) !== Object.prototype) return undefined
  for (const _ in NOTHING) return undefined // somebody has given every object a member
  let text = ''
  for (const name in data) {
    const value: unknown = (data as Record<string, unknown>)[name]
    if (!isShort(name)) return undefined
    text += text === '' ? `{"${name}":` : `,"${name}":`
    if (typeof value === 'string') {
      if (!isShort(value)) return undefined
      text += `"${value}"`
    } else if (typeof value === 'number' && Number.isFinite(value)) text += value
    else return undefined
  }
  return text === '' ? '{}' : `${text}}`
}

function isShort(text: string): boolean {
  return text.length <= SHORT && standsInJson(text)
}
