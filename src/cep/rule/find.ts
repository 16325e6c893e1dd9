import { fault } from '../../error/millrace-error.js'
import type { StoredEvent } from '../../event/event.js'
import { compileAggregate, type AggregateOptions } from '../aggregate/compile-aggregate.js'
import { compilePattern } from '../compile-pattern.js'
import { compileCorrelate, type CorrelateOptions } from '../correlate/compile-correlate.js'
import { compileIntervalJoin, type IntervalJoinOptions } from '../correlate/compile-interval-join.js'
import { compileDetect, type DetectOptions } from '../detect/compile-detect.js'
import type { Executable } from '../engine/executor.js'
import type { Match } from '../engine/match.js'
import { stageTypes, type Pattern } from '../pattern/pattern.js'
import type { Shapes } from '../pattern/stage-shape.js'
import type { TypedPattern } from '../pattern/typed-pattern.js'
import { floodFaults, partsOf } from '../tree/check-tree.js'
import { compileTree } from '../tree/compile-tree.js'
import type { Tree, TreePattern } from '../tree/tree.js'
import type { RuleKind } from './rule.js'

/** What a rule in TypeScript looks for, as the options of an engine. Event types are named: an engine sees no others. */
export type Find =
  | { readonly sequence: Pattern }
  | { readonly pattern: TreePattern }
  | { readonly correlate: CorrelateOptions }
  | { readonly join: IntervalJoinOptions }
  | { readonly aggregate: AggregateOptions }
  | { readonly detect: DetectOptions }

export interface Found {
  readonly kind: RuleKind
  readonly executable: Executable
  readonly eventTypes: readonly string[]
  readonly keyOf: ((event: StoredEvent) => string | undefined) | undefined
  readonly match: (match: Match) => unknown
}

/** @throws PATTERN_INVALID, DETECTOR_INVALID, DURATION_INVALID */
export function foundBy(find: TypedPattern<Shapes, unknown> | Find): Found {
  const plain = { keyOf: undefined, match: (match: Match) => match }
  if ('executable' in find) {
    const { executable, keyOf, pattern } = find
    const isTree = isTreePattern(pattern)
    const eventTypes = isTree ? typesOfTree(pattern) : typesOfPattern(pattern as Pattern)
    const match = (each: Match) => find.match(each)
    return { kind: isTree ? 'pattern' : 'sequence', executable, eventTypes, keyOf, match }
  }
  if ('sequence' in find)
    return {
      ...plain,
      kind: 'sequence',
      executable: compilePattern(find.sequence),
      eventTypes: typesOfPattern(find.sequence),
    }
  if ('pattern' in find) {
    const faults = floodFaults(find.pattern)
    if (faults.length > 0) throw fault('PATTERN_INVALID', faults.join('; '))
    return { ...plain, kind: 'pattern', executable: compileTree(find.pattern), eventTypes: typesOfTree(find.pattern) }
  }
  if ('correlate' in find) {
    const eventTypes = Object.values(find.correlate.sides).flatMap(({ events }) => events)
    return { ...plain, kind: 'correlate', executable: compileCorrelate(find.correlate), eventTypes }
  }
  if ('join' in find) {
    const eventTypes = [...find.join.left.events, ...find.join.right.events]
    return { ...plain, kind: 'correlate', executable: compileIntervalJoin(find.join), eventTypes }
  }
  if ('aggregate' in find)
    return {
      ...plain,
      kind: 'aggregate',
      executable: compileAggregate(find.aggregate),
      eventTypes: find.aggregate.events,
    }
  if ('detect' in find)
    return { ...plain, kind: 'detect', executable: compileDetect(find.detect), eventTypes: find.detect.events ?? [] }
  throw fault(
    'DECLARATION_INVALID',
    'find is a pattern, or one of sequence, pattern, correlate, join, aggregate, detect',
  )
}

function isTreePattern(pattern: unknown): pattern is TreePattern {
  return typeof pattern === 'object' && pattern !== null && 'tree' in pattern
}

function typesOfPattern({ stages, events = [] }: Pattern): string[] {
  return [...new Set([...stageTypes(stages), ...events])]
}

function typesOfTree({ tree, events = [] }: TreePattern): string[] {
  return [...new Set([...typesIn(tree), ...events])]
}

function typesIn(tree: Tree): readonly string[] {
  return tree.kind === 'filter' ? tree.events : partsOf(tree).flatMap(typesIn)
}
