import { isMap } from 'yaml'
import type { Kinds } from '../cel/check-kinds.js'
import { compileCorrelate, type CorrelateOptions, type CorrelateSide } from '../correlate/compile-correlate.js'
import { readBounds } from './read-bounds.js'
import { readBoolean, readChoice } from './read-fields.js'
import { readHaving } from './read-having.js'
import { readIntervalJoin } from './read-interval-join.js'
import type { Gathered } from './read-matcher.js'
import { keyOfSides, readSides, type ReadSide } from './read-sides.js'
import type { Entry } from './rule-file.js'
import type { KindContext, KindReader, RuleBody } from './rule-kind.js'
import { Slots } from '../cel/slots.js'

const BOUNDS = ['correlations', 'eventsPerSide', 'links', 'waiting', 'matchesPerAdvance', 'keys']
const FIELDS = ['sides', 'by', 'outcomes', 'completes', 'duplicates', 'again', 'having', 'gap', 'on', 'outer']
const JOIN_FIELDS = ['gap', 'on', 'outer']
const OUTCOMES = ['complete', 'partial', 'missing'] as const
const VALUES: ReadonlyMap<string, Kinds> = new Map<string, Kinds>([
  ['outcome', new Set(['string'])],
  ['missing', new Set(['list'])],
  ['window', new Set(['map'])],
])

/** `correlate`: events of several sides that belong together; with `gap`, every pair of two sides. */
export const CORRELATE: KindReader = { kind: 'correlate', fields: ['within'], bounds: BOUNDS, read: readCorrelate }

function readCorrelate(entry: Entry, context: KindContext): RuleBody | undefined {
  const { file, scope } = context
  const fields = file.entries(entry.value, 'correlate', FIELDS, entry.keyAt)
  if (isMap(entry.value) && !fields.has('sides')) file.issue(entry.keyAt, 'correlate: sides is missing')
  const isJoin = JOIN_FIELDS.some((name) => fields.has(name))
  for (const { key, keyAt } of fields.values())
    if (isJoin && !['sides', ...JOIN_FIELDS].includes(key)) file.issue(keyAt, `${key} means nothing with gap`)
  const gathered: Gathered = { scope, slots: new Slots(), stages: new Map(), places: new Map() }
  const sides = readSides(fields.get('sides'), gathered, isJoin)
  if (isJoin) return readIntervalJoin(entry, fields, sides, gathered, context)
  return readJoin(entry, fields, sides, gathered, context)
}

function readJoin(
  entry: Entry,
  fields: ReadonlyMap<string, Entry>,
  sides: readonly ReadSide[],
  gathered: Gathered,
  context: KindContext,
): RuleBody | undefined {
  const { file, scope, within, lateness, grace } = context
  const by = readChoice(file, fields.get('by'), ['key', 'correlation', 'cause'])
  const outcomes = readOutcomes(fields.get('outcomes'), context)
  const completes = readChoice(file, fields.get('completes'), ['soonest', 'end'])
  const duplicates = readChoice(file, fields.get('duplicates'), ['first', 'last'])
  const again = readBoolean(file, fields.get('again'))
  const having = readHaving(fields.get('having'), scope, { stages: gathered.stages, values: VALUES }, withWindow)
  const { bounds, policies } = readBounds(file, context.fields.get('bounds'), BOUNDS.slice(0, -1))
  if (!context.fields.has('within'))
    file.issue(entry.keyAt, 'within is missing: without a window, state would grow for ever', 'RULE_UNBOUNDED')
  const own = keyOfSides(sides)
  if (sides.some(({ keyOf }) => keyOf !== undefined) && own === undefined && !context.fields.has('key'))
    file.issue(entry.keyAt, 'each side needs a key, or the rule has one')
  if (file.issues.length > 0 || within === undefined) return undefined
  const policy = policies['correlations'] ?? policies['eventsPerSide']
  const options: CorrelateOptions = {
    sides: Object.fromEntries(sides.map((side) => [side.name, sideOf(side, gathered)])),
    within,
    lateness,
    bounds: { ...bounds, ...(policy === undefined ? {} : { policy }) },
    ...(by === undefined ? {} : { by }),
    ...(outcomes === undefined ? {} : { outcomes }),
    ...(completes === undefined ? {} : { completes }),
    ...(duplicates === undefined ? {} : { duplicates }),
    ...(again === undefined ? {} : { again }),
    ...(having === undefined ? {} : { having: (values, key) => having(values, key) }),
  }
  const linked = by === 'correlation' || by === 'cause'
  const keyOf = own ?? (linked && !context.fields.has('key') ? conversation : undefined)
  return {
    executable: { ...compileCorrelate(options), grace },
    eventTypes: [...new Set(sides.flatMap(({ events }) => events))],
    stages: gathered.stages,
    values: VALUES,
    valuesOf: ({ values = {} }) => withWindow(values),
    ...(keyOf === undefined ? {} : { keyOf }),
  }
}

/** What links events by their causes is not in any one event: they are all taken. */
function conversation({ correlationId, id }: Parameters<NonNullable<RuleBody['keyOf']>>[0]): string {
  return correlationId ?? id
}

function sideOf({ events, min, max, starts, where }: ReadSide, { slots }: Gathered): CorrelateSide {
  return {
    events,
    min,
    max,
    ...(starts === undefined ? {} : { starts }),
    ...(where === undefined
      ? {}
      : { where: (event, taken, key) => where(event, slots.aggregates.length === 0 ? [] : slots.bound(taken), key) }),
  }
}

function withWindow(values: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const { start, end } = values
  return { ...values, window: { start, end } }
}

function readOutcomes(entry: Entry | undefined, { file }: KindContext): CorrelateOptions['outcomes'] {
  if (entry === undefined) return undefined
  return file.items(entry.value, 'outcomes', entry.keyAt).flatMap((value) => {
    const outcome = readChoice(file, { key: 'an outcome', keyAt: entry.keyAt, value }, OUTCOMES)
    return outcome === undefined ? [] : [outcome]
  })
}
