import { difference, shown, type Difference } from './difference.js'
import type { NumberShape, Shape, StringShape } from './shapes.js'

/** Formats that are decided by code; of the others the pattern says all. */
const BY_CODE: ReadonlySet<string> = new Set([
  'uri',
  'ipv6',
  'cidrv6',
  'base64',
  'base64url',
  'jwt',
  'json-string',
  'binary',
])

/** What of texts that are written is not read. Empty: all are. */
export function readString(written: StringShape, read: StringShape): readonly Difference[] {
  if (written.min < read.min)
    return difference('limit', [], `at least ${read.min} characters are read, ${written.min} may be written`)
  if (written.max > read.max)
    return difference('limit', [], `at most ${read.max} characters are read, ${most(written.max)} may be written`)
  const missing = read.patterns.filter((pattern) => !written.patterns.includes(pattern))
  if (missing.length > 0 && written.patterns.length === 0 && written.format === undefined)
    return difference('format', [], `only texts of ${formOf(read)} are read, others may be written`)
  if (missing.length > 0)
    return difference('undecided', [], `texts of ${formOf(written)} are written, of ${formOf(read)} read`)
  if (read.format === undefined || read.format === written.format) return []
  if (read.patterns.length > 0 && !BY_CODE.has(read.format)) return []
  if (written.format === undefined && written.patterns.length === 0)
    return difference('format', [], `only texts of ${formOf(read)} are read, others may be written`)
  return difference('undecided', [], `texts of ${formOf(written)} are written, of ${formOf(read)} read`)
}

/** What of numbers that are written is not read. Empty: all are. */
export function readNumber(written: NumberShape, read: NumberShape): readonly Difference[] {
  if (read.integer && !isWhole(written))
    return difference('type', [], 'only whole numbers are read, others may be written')
  if (below(written.min, written.minOpen, read.min, read.minOpen))
    return difference('limit', [], `numbers ${from(read)} are read, ${from(written)} may be written`)
  if (below(-written.max, written.maxOpen, -read.max, read.maxOpen))
    return difference('limit', [], `numbers ${upTo(read)} are read, ${upTo(written)} may be written`)
  for (const multiple of read.multiples) {
    const isMultiple = written.multiples.some(
      (each) =>
        each === multiple || (Number.isSafeInteger(each) && Number.isSafeInteger(multiple) && each % multiple === 0),
    )
    if (!isMultiple && !(multiple === 1 && isWhole(written)))
      return difference('limit', [], `only multiples of ${multiple} are read, others may be written`)
  }
  return []
}

/** Whether one value is read by a shape. */
export function readLiteral(value: string | number | boolean | null, read: Shape): readonly Difference[] {
  if (read.kind === 'literal' && read.value === value) return []
  if (read.kind === 'string' && typeof value === 'string') return readText(value, read)
  if (read.kind === 'number' && typeof value === 'number') {
    const { min, max, minOpen, maxOpen, integer, multiples } = read
    const inside = (minOpen ? value > min : value >= min) && (maxOpen ? value < max : value <= max)
    if (!inside || (integer && !Number.isSafeInteger(value)))
      return difference('value', [], `${shown(value)} may be written and is outside of what is read`)
    const exact = multiples.every((each) => Number.isSafeInteger(each) && Number.isSafeInteger(value))
    if (multiples.length > 0 && !exact)
      return difference('undecided', [], `whether ${value} is a multiple of ${multiples.join(' and ')}`)
    if (multiples.some((each) => value % each !== 0))
      return difference('value', [], `${value} may be written and is not a multiple of ${multiples.join(' and ')}`)
    return []
  }
  return difference('value', [], `${shown(value)} may be written and is not read`)
}

function readText(value: string, read: StringShape): readonly Difference[] {
  const misfit = difference('value', [], `${shown(value)} may be written and does not follow what is read`)
  if (value.length < read.min || value.length > read.max) return misfit
  for (const pattern of read.patterns) {
    const fits = matches(pattern, value)
    if (fits === false) return misfit
    if (fits === undefined) return difference('undecided', [], `whether ${shown(value)} is of ${formOf(read)}`)
  }
  if (read.format === undefined || (read.patterns.length > 0 && !BY_CODE.has(read.format))) return []
  return difference('undecided', [], `whether ${shown(value)} is of ${formOf(read)}`)
}

function matches(pattern: string, value: string): boolean | undefined {
  try {
    return new RegExp(pattern).test(value)
  } catch {
    return undefined // it needs a flag that a schema cannot say
  }
}

function isWhole({ integer, multiples }: NumberShape): boolean {
  return integer || multiples.some((each) => Number.isSafeInteger(each))
}

function below(value: number, open: boolean, limit: number, limitOpen: boolean): boolean {
  return value < limit || (value === limit && limitOpen && !open)
}

function formOf({ format, patterns }: StringShape): string {
  if (format !== undefined) return `format ${format}`
  return patterns.length === 0 ? 'no format' : `the pattern ${shown(patterns.join(' and '))}`
}

function most(max: number): string {
  return max === Infinity ? 'any number' : String(max)
}

function from({ min, minOpen }: NumberShape): string {
  return min === -Infinity ? 'without a lower limit' : `${minOpen ? 'above' : 'from'} ${min}`
}

function upTo({ max, maxOpen }: NumberShape): string {
  return max === Infinity ? 'without an upper limit' : `${maxOpen ? 'below' : 'up to'} ${max}`
}
