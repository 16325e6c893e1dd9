import { isMap } from 'yaml'
import { truth } from '../cel/cel-value.js'
import type { Kinds } from '../cel/check-kinds.js'
import { compileIntervalJoin, type IntervalJoinOptions } from '../correlate/compile-interval-join.js'
import { readBounds } from './read-bounds.js'
import { durationOf, readChoice } from './read-fields.js'
import type { Gathered } from './read-matcher.js'
import { keyOfSides, type ReadSide } from './read-sides.js'
import type { Entry } from './rule-file.js'
import type { KindContext, RuleBody } from './rule-kind.js'

const BOUNDS = ['keys', 'eventsPerSide', 'waiting', 'matchesPerAdvance']
const VALUES: ReadonlyMap<string, Kinds> = new Map<string, Kinds>([
  ['gap', new Set(['number'])],
  ['outcome', new Set(['string'])],
])

/** `correlate` with `gap: { from: -5s, to: 1h }`: how much later than the first side the second comes. */
export function readIntervalJoin(
  entry: Entry,
  fields: ReadonlyMap<string, Entry>,
  sides: readonly ReadSide[],
  gathered: Gathered,
  context: KindContext,
): RuleBody | undefined {
  const { file, lateness, grace } = context
  const gapEntry = fields.get('gap')
  if (gapEntry === undefined) file.issue(entry.keyAt, 'correlate: gap is missing')
  const gap = gapEntry === undefined ? undefined : file.entries(gapEntry.value, 'gap', ['from', 'to'], gapEntry.keyAt)
  if (gapEntry !== undefined && isMap(gapEntry.value))
    for (const name of ['from', 'to']) if (!gap?.has(name)) file.issue(gapEntry.keyAt, `gap: ${name} is missing`)
  const [lower, upper] = [readSigned(gap?.get('from'), context), readSigned(gap?.get('to'), context)]
  const on = readOn(fields.get('on'), sides, gathered)
  const outer = readChoice(file, fields.get('outer'), [...sides.map(({ name }) => name), 'both'])
  const { bounds, policies } = readBounds(file, context.fields.get('bounds'), BOUNDS)
  if (context.fields.has('within'))
    file.issue(context.fields.get('within')?.keyAt ?? 0, 'within means nothing with gap')
  const [left, right] = sides
  if (file.issues.length > 0 || left === undefined || right === undefined) return undefined
  if (lower === undefined || upper === undefined) return undefined
  const policy = policies['keys'] ?? policies['eventsPerSide']
  const options: IntervalJoinOptions = {
    left: sideOf(left),
    right: sideOf(right),
    lower,
    upper,
    lateness,
    bounds: { ...bounds, ...(policy === undefined ? {} : { policy }) },
    ...(on === undefined ? {} : { on }),
    ...(outer === undefined ? {} : { outer: outer === 'both' ? 'both' : outer === left.name ? 'left' : 'right' }),
  }
  const keyOf = keyOfSides(sides)
  return {
    executable: { ...compileIntervalJoin(options), grace },
    eventTypes: [...new Set(sides.flatMap(({ events }) => events))],
    stages: gathered.stages,
    values: VALUES,
    ...(keyOf === undefined ? {} : { keyOf }),
  }
}

function sideOf({ name, events, where }: ReadSide): IntervalJoinOptions['left'] {
  return { name, events, ...(where === undefined ? {} : { where: (event, key) => where(event, [], key) }) }
}

/** A condition on a pair: names of sides are their events. */
function readOn(
  entry: Entry | undefined,
  sides: readonly ReadSide[],
  { scope, stages, slots }: Gathered,
): IntervalJoinOptions['on'] {
  const found = scope.file.scalar(entry, 'on')
  if (found === undefined) return undefined
  const over = { variables: ['key'], stages, slots, types: [], wanted: 'bool' as const }
  const compiled = scope.compile(found.node, String(found.value), over)
  const [left, right] = sides
  if (compiled === undefined || left === undefined || right === undefined) return undefined
  return (a, b, key) => truth(compiled.evaluate(b, slots.bound({ [left.name]: [a], [right.name]: [b] }), key))
}

function readSigned(entry: Entry | undefined, { file }: KindContext): number | undefined {
  const found = file.scalar(entry, entry?.key ?? '')
  if (found === undefined) return undefined
  const text = String(found.value)
  const ms = durationOf(found.value === 0 ? 0 : text.replace(/^[+-]/, ''))
  if (typeof ms === 'number') return text.startsWith('-') ? -ms : ms
  file.issue(file.at(found.node), ms, 'DURATION_INVALID')
  return undefined
}
