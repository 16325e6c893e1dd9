import type { Executable } from '../engine/executor.js'
import { fault } from '../../error/millrace-error.js'
import { DEFAULT_BOUNDS } from '../flat/compile-pattern.js'
import { patternFaults } from '../pattern/check-pattern.js'
import type { BoundPolicies, Bounds, Matcher, Pattern, Stage, TakeStage } from '../pattern/pattern.js'
import { TypeBits } from '../pattern/type-bits.js'
import { layOutPositions, type Position, type Positions } from './position.js'
import { RunSetsExecutor } from './run-sets-executor.js'
import type { RunSetsState } from './snapshot.js'

/** A pattern ready to run as run sets. May be shared by any number of engines. */
export interface RunSetsPattern extends Executable {
  readonly pattern: Pattern
  readonly layout: Positions
  readonly firsts: readonly Position[]
  /** Positions from which something can go on: what comes there is held. */
  readonly held: readonly Position[]
  /** Which conditions an event of a type could satisfy. */
  readonly types: TypeBits
  /** Conditions of the positions where a match may begin. */
  readonly beginBits: number
  readonly within: number
  readonly limits: Bounds
  readonly policies: BoundPolicies
}

/** What is known of a pattern and its stages here. One that says more is not for run sets. */
const PATTERN_FIELDS = new Set<keyof Pattern>(
  'stages within skip lateness grace events aggregates bounds policies orderBy holdback'.split(
    ' ',
  ) as (keyof Pattern)[],
)
const STAGE_FIELDS = new Set(
  'kind name events where local text equals thresholds contiguity times inner optional greedy until'.split(' '),
)
const MOST_POSITIONS = 64

/**
 * Whether run sets can run a pattern: conditions on the current event only, every match put out, one window over all,
 * stages that take events, no bound whose excess is an error.
 */
export function fitsRunSets(pattern: Pattern): boolean {
  return (
    onlyHas(pattern, PATTERN_FIELDS) &&
    (pattern.skip?.type ?? 'none') === 'none' &&
    pattern.within !== undefined &&
    !Object.values(pattern.policies ?? {}).includes('fail') &&
    pattern.stages.every(fits) &&
    pattern.stages.reduce((sum, stage) => sum + placesOf(stage), 0) <= MOST_POSITIONS
  )
}

/** Whether partial matches can become so many that run sets are worth it. */
export function paysInRunSets({ stages }: Pattern): boolean {
  return stages.some((stage, at) => {
    if (stage.kind !== 'take') return false
    const { max } = stage.times ?? { max: 1 }
    return (at > 0 && stage.contiguity === 'any') || max === null || (max > 1 && stage.inner === 'any')
  })
}

function fits(stage: Stage): stage is TakeStage {
  return (
    stage.kind === 'take' &&
    onlyHas(stage, STAGE_FIELDS) &&
    stage.greedy !== true &&
    isLocal(stage) &&
    (stage.until === undefined || isLocal(stage.until))
  )
}

function onlyHas(object: object, fields: ReadonlySet<string>): boolean {
  return Object.entries(object).every(([name, value]) => value === undefined || fields.has(name))
}

function isLocal({ where, local }: Matcher): boolean {
  return where === undefined || local === true
}

function placesOf(stage: Stage): number {
  if (stage.kind !== 'take') return 1
  return stage.times?.max ?? stage.times?.min ?? 1
}

/** @throws PATTERN_INVALID with every fault found, or because it is not for run sets */
export function compileRunSets(pattern: Pattern): RunSetsPattern {
  const faults = patternFaults(pattern)
  if (faults.length === 0 && !fitsRunSets(pattern)) faults.push('run sets cannot run this pattern')
  if (faults.length > 0)
    throw fault('PATTERN_INVALID', faults.join('; '), { issues: faults.map((detail) => ({ detail })) })
  const layout = layOutPositions(pattern)
  const firsts = layout.positions.filter((position) => position.begins)
  const limits = { ...DEFAULT_BOUNDS, ...pattern.bounds }
  const compiled: RunSetsPattern = {
    pattern,
    layout,
    firsts,
    held: layout.positions.filter(({ out }) => out.length > 0),
    types: new TypeBits(layout.tests, pattern.events ?? []),
    beginBits: firsts.reduce((bits, { test }) => bits | test.bit, 0),
    within: pattern.within ?? Infinity,
    limits,
    bounds: limits,
    policies: pattern.policies ?? {},
    lateness: pattern.lateness ?? 0,
    grace: pattern.grace ?? 0,
    reach: pattern.within ?? Infinity,
    ...(pattern.orderBy === undefined ? {} : { orderBy: pattern.orderBy }),
    signature: signatureOf(pattern),
    start: (out, state, trace) => new RunSetsExecutor(compiled, out, state as RunSetsState | undefined, trace),
  }
  return compiled
}

function signatureOf({ stages, within, lateness = 0, grace = 0 }: Pattern): string {
  const shapes = stages.map((s) =>
    s.kind === 'take' ? [s.name, s.contiguity, s.times, s.inner, s.optional, s.until?.events, ...s.events] : [],
  )
  return JSON.stringify(['run-sets', shapes, within, lateness, grace])
}
