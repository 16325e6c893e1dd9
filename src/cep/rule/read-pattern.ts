import { Slots } from '../cel/slots.js'
import { floodFaults, partsOf, treeFaults } from '../tree/check-tree.js'
import { compileTree } from '../tree/compile-tree.js'
import type { Tree, TreePattern } from '../tree/tree.js'
import { readBounds } from './read-bounds.js'
import { readDuration, readTypes } from './read-fields.js'
import type { Gathered } from './read-matcher.js'
import { notePatternFault } from './read-sequence.js'
import { readTree } from './read-tree.js'
import type { Entry } from './rule-file.js'
import type { KindContext, KindReader, RuleBody } from './rule-kind.js'

const BOUNDS = ['partialMatchesPerKey', 'partialMatches', 'keys', 'matchesPerAdvance', 'waiting']

/** `pattern`: a tree of the pattern algebra. */
export const PATTERN: KindReader = {
  kind: 'pattern',
  fields: ['within', 'events', 'forget'],
  bounds: BOUNDS,
  read: (entry, context) =>
    readPattern(entry, context, (gathered) => readTree(entry.value, gathered, { otherwise: entry.keyAt, many: false })),
}

/** `every` at the top is a pattern that begins with it. */
export const EVERY: KindReader = {
  ...PATTERN,
  read: (entry, context) =>
    readPattern(entry, context, (gathered) => {
      const part = readTree(entry.value, gathered, { otherwise: entry.keyAt, many: false })
      return part === undefined ? undefined : { kind: 'every', part }
    }),
}

function readPattern(
  entry: Entry,
  context: KindContext,
  read: (gathered: Gathered) => Tree | undefined,
): RuleBody | undefined {
  const { file, scope, fields, within, lateness, grace } = context
  const slots = new Slots()
  const gathered: Gathered = { scope, slots, stages: new Map(), places: new Map() }
  const tree = read(gathered)
  const eventsEntry = fields.get('events')
  const events = eventsEntry === undefined ? [] : readTypes(eventsEntry, scope)
  const forget = readDuration(file, fields.get('forget'), 1)
  const { bounds, policies } = readBounds(file, fields.get('bounds'), BOUNDS)
  if (file.issues.length > 0 || tree === undefined) return undefined
  const pattern: TreePattern = {
    tree: within === undefined ? tree : limited(tree, within),
    lateness,
    grace,
    events,
    aggregates: slots.aggregates,
    bounds,
    policies: policies as NonNullable<TreePattern['policies']>,
    ...(forget === undefined ? {} : { forget }),
  }
  const faults = treeFaults(pattern)
  if (faults.length === 0) faults.push(...floodFaults(pattern))
  for (const detail of faults) notePatternFault(file, entry, fields, gathered, detail)
  if (faults.length > 0) return undefined
  const eventTypes = [...new Set([...typesOf(tree), ...events])]
  return { executable: compileTree(pattern), eventTypes, stages: gathered.stages, values: new Map() }
}

/** The window of the whole: of each time that it begins anew, where it begins with every. */
function limited(tree: Tree, ms: number): Tree {
  return tree.kind === 'every' ? { ...tree, part: limited(tree.part, ms) } : { kind: 'within', part: tree, ms }
}

function typesOf(tree: Tree): readonly string[] {
  return tree.kind === 'filter' ? tree.events : partsOf(tree).flatMap(typesOf)
}
