import { isMap } from 'yaml'
import { isFault } from '../../error/millrace-error.js'
import { Slots } from '../cel/slots.js'
import { compilePattern } from '../compile-pattern.js'
import { patternFaults } from '../pattern/check-pattern.js'
import { stageTypes, type Pattern, type Skip } from '../pattern/pattern.js'
import { readBounds } from './read-bounds.js'
import { readBoolean, readChoice, readTypes } from './read-fields.js'
import type { Gathered } from './read-matcher.js'
import { readStages } from './read-stages.js'
import type { Entry, RuleFile } from './rule-file.js'
import type { KindContext, KindReader, RuleBody } from './rule-kind.js'

const SKIPS = ['none', 'next', 'past-last'] as const
const BOUNDS = ['partialMatchesPerKey', 'partialMatches', 'keys', 'matchesPerAdvance', 'waiting']

/** `sequence`: stages in their order, one key at a time. */
export const SEQUENCE: KindReader = {
  kind: 'sequence',
  fields: ['within', 'events', 'skip', 'holdback', 'orderBy', 'onTimeout'],
  bounds: BOUNDS,
  read: readSequence,
}

function readSequence(entry: Entry, context: KindContext): RuleBody | undefined {
  const { file, scope, fields, within, lateness, grace } = context
  const slots = new Slots()
  const gathered: Gathered = { scope, slots, stages: new Map(), places: new Map() }
  const stages = readStages(entry, gathered)
  const eventsEntry = fields.get('events')
  const events = eventsEntry === undefined ? [] : readTypes(eventsEntry, scope)
  const eventTypes = [...new Set([...stageTypes(stages), ...events])]
  const { bounds, policies } = readBounds(file, fields.get('bounds'), BOUNDS)
  const holdback = readBoolean(file, fields.get('holdback'))
  const orderBy = readOrder(context, eventTypes)
  const pattern: Pattern = {
    stages,
    skip: readSkip(file, fields.get('skip'), gathered),
    lateness,
    grace,
    events,
    aggregates: slots.aggregates,
    bounds,
    policies: policies as NonNullable<Pattern['policies']>,
    ...(within === undefined ? {} : { within }),
    ...(holdback === undefined ? {} : { holdback }),
    ...(orderBy === undefined ? {} : { orderBy }),
  }
  if (file.issues.length > 0) return undefined
  const faults = patternFaults(pattern)
  for (const detail of faults) notePatternFault(file, entry, fields, gathered, detail)
  if (faults.length > 0) return undefined
  return { executable: compilePattern(pattern), eventTypes, stages: gathered.stages, values: new Map() }
}

/** Says at which line what is wrong with a pattern as a whole. */
export function notePatternFault(
  file: RuleFile,
  entry: Entry,
  fields: ReadonlyMap<string, Entry>,
  { places }: Gathered,
  detail: string,
): void {
  const subject = /^([A-Za-z]\w*)/.exec(detail)?.[1] ?? ''
  const at = places.get(subject) ?? fields.get(subject)?.keyAt ?? entry.keyAt
  file.issue(at, detail, /for ever|needs within|is missing/.test(detail) ? 'RULE_UNBOUNDED' : 'RULE_INVALID')
}

function readOrder({ file, scope, fields, lateness }: KindContext, types: readonly string[]): Pattern['orderBy'] {
  const found = file.scalar(fields.get('orderBy'), 'orderBy')
  if (found === undefined) return undefined
  if (lateness === 0)
    file.issue(file.at(found.node), 'orderBy needs lateness: without it events are taken as they come')
  const over = { variables: ['data', 'id', 'time'], slots: new Slots(), types, all: true }
  const compiled = scope.compile(found.node, String(found.value), over)
  if (compiled === undefined) return undefined
  return (event) => {
    try {
      const value = compiled.evaluate(event, [], '')
      return typeof value === 'number' || typeof value === 'string' ? value : String(value)
    } catch (error) {
      if (isFault(error, 'EXPRESSION_FAILED')) return '' // what cannot be told comes first
      throw error
    }
  }
}

/** `skip: past-last`, or `skip: { to-first: stage, throwOnMiss: true }`. */
function readSkip(file: RuleFile, entry: Entry | undefined, { stages }: Gathered): Skip {
  if (entry === undefined) return { type: 'none' }
  if (!isMap(entry.value)) {
    const type = readChoice(file, entry, SKIPS)
    return { type: type ?? 'none' }
  }
  const fields = file.entries(entry.value, 'skip', ['to-first', 'to-last', 'throwOnMiss'], entry.keyAt)
  const to = fields.get('to-first') ?? fields.get('to-last')
  if (to === undefined || (fields.has('to-first') && fields.has('to-last'))) {
    file.issue(entry.keyAt, 'skip is none, next, past-last, { to-first: stage } or { to-last: stage }')
    return { type: 'none' }
  }
  const stage = file.text(to, to.key) ?? ''
  if (!stages.has(stage))
    file.issue(
      file.at(to.value, to.keyAt),
      `${stage.slice(0, 100)} is no stage; there are: ${[...stages.keys()].join(', ')}`,
    )
  const throwOnMiss = readBoolean(file, fields.get('throwOnMiss'))
  const type = to.key === 'to-first' ? 'to-first' : 'to-last'
  return { type, stage, ...(throwOnMiss === undefined ? {} : { throwOnMiss }) }
}
