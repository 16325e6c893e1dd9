import { fault } from '../error/millrace-error.js'

const UNIT_MS: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
}
const PART = /(\d+(?:\.\d+)?)(ns|us|µs|ms|s|m|h|d|w)/gy
const ISO = /^P(?:(\d+)W)?(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?)?$/

/**
 * Reads a duration as milliseconds: `250ms`, `30s`, `10m`, Go's `1h30m`, ISO 8601's `PT5M`; a number is milliseconds.
 * @throws DURATION_INVALID
 */
export function parseDuration(text: string | number): number {
  if (typeof text === 'number') {
    if (!Number.isFinite(text) || text < 0) throw fault('DURATION_INVALID', String(text))
    return text
  }
  const trimmed = text.trim()
  const iso = ISO.exec(trimmed)
  if (iso && iso.slice(1).some((part) => part !== undefined)) {
    const [w = 0, d = 0, h = 0, m = 0, s = 0] = iso.slice(1).map((part) => Number(part ?? 0))
    return w * 604_800_000 + d * 86_400_000 + h * 3_600_000 + m * 60_000 + s * 1_000
  }
  let total = 0
  let end = 0
  PART.lastIndex = 0
  for (let match = PART.exec(trimmed); match !== null; match = PART.exec(trimmed)) {
    total += Number(match[1]) * (UNIT_MS[match[2] ?? ''] ?? Number.NaN)
    end = PART.lastIndex
  }
  if (end === 0 || end !== trimmed.length) throw fault('DURATION_INVALID', JSON.stringify(text))
  return total
}

/** Writes milliseconds for a person: `850ms`, `12.3s`, `4m 10s`, `2h 5m`. */
export function formatDuration(ms: number): string {
  if (ms < 1_000) return `${Math.round(ms)}ms`
  if (ms < 60_000) return `${(ms / 1_000).toFixed(1)}s`
  if (ms < 3_600_000) return `${Math.floor(ms / 60_000)}m ${Math.floor((ms % 60_000) / 1_000)}s`
  return `${Math.floor(ms / 3_600_000)}h ${Math.floor((ms % 3_600_000) / 60_000)}m`
}
