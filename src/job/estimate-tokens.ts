/** Bytes of a token, for texts of which nothing is known. Bytes and not characters: a Chinese character is about a token. */
const BYTES = 4
/** What a request has around its texts. */
const AROUND = 16

/** Tokens that texts are expected to have, at least 1. */
export function estimateTokens(texts: readonly string[]): number {
  return AROUND + texts.reduce((sum, text) => sum + Math.ceil(Buffer.byteLength(text) / BYTES), 0)
}

/** The text of a schema: the same object is asked for with each job. */
const texts = new WeakMap<object, string>()

export function schemaText(schema: object): string {
  let text = texts.get(schema)
  if (text === undefined) texts.set(schema, (text = JSON.stringify(schema)))
  return text
}

/** How far estimates of one prompt were from what was billed, as a value. */
export interface Calibration {
  /** What an estimate is multiplied with. */
  readonly factor: number
  readonly seen: number
}

export const UNCALIBRATED: Calibration = Object.freeze({ factor: 1, seen: 0 })

/** How much of the factor is of the newest call; the first ones count more. */
const NEWEST = 0.1
const [LEAST, MOST] = [0.2, 5]

/** After a call. What is absurd is bounded: one wrong answer must not stop a lane. */
export function calibrated({ factor, seen }: Calibration, estimated: number, billed: number): Calibration {
  if (estimated <= 0 || billed <= 0) return { factor, seen }
  const ratio = Math.min(MOST, Math.max(LEAST, billed / estimated))
  const part = Math.max(NEWEST, 1 / (seen + 1))
  return { factor: factor + (ratio - factor) * part, seen: seen + 1 }
}

export function corrected(estimate: number, { factor }: Calibration): number {
  return Math.max(1, Math.ceil(estimate * factor))
}
