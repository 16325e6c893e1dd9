import { createHash } from 'node:crypto'
import { fault } from '../../error/millrace-error.js'
import type { EventContract } from '../../event/contract.js'
import type { EventDraft, StoredEvent } from '../../event/event.js'
import { parseDuration } from '../../time/duration.js'
import type { AnyEvent } from '../engine/any-event.js'
import type { Match } from '../engine/match.js'
import type { Shapes } from '../pattern/stage-shape.js'
import type { TypedMatch, TypedPattern } from '../pattern/typed-pattern.js'
import { assembleRule, type RuleOutput } from './assemble-rule.js'
import { emitByCode } from './emit-draft.js'
import { foundBy, type Find } from './find.js'
import type { ExpectedEvent, RuleTest } from './rule-test.js'
import type { Rule } from './rule.js'
import type { Suppression } from './suppress.js'

/** What a rule emits, of one contract. `M`: what it is given for a match. */
export interface EmitDefinition<Contract extends EventContract, M> {
  readonly event: Contract
  readonly data: (match: M) => Parameters<Contract>[0]
  /** Default: the contract decides. */
  readonly key?: (match: M) => string
  readonly severity?: string
}

export interface SuppressDefinition<M> {
  /** Cool-down in event time: milliseconds, or a text such as `10m`. */
  readonly for: number | string
  /** Matches that are let through in that time. Default 1. */
  readonly max?: number
  /** Matches for which it gives the same JSON are of one group. Default: those of one key. */
  readonly by?: (match: M, data: unknown) => unknown
}

/** A test of a rule: events that contracts made, each with its time after the test begins; default: that of the one before. */
export interface TestDefinition {
  readonly name: string
  readonly given: readonly (EventDraft | { readonly at: number | string; readonly event: EventDraft })[]
  readonly until?: number | string
  readonly expect: 'none' | readonly ExpectedEvent[]
}

export interface RuleDefinition<Contract extends EventContract, S extends Shapes> {
  readonly name: string
  readonly description?: string
  /** Raise it with each change outside of the rule's own file: a rule of another version starts empty. Default 1. */
  readonly version?: number
  readonly enabled?: boolean
  /** Names of the stream that it reads, and of the one that it writes to, by default the same. */
  readonly on: string
  readonly to?: string
  /** What to look for: a pattern that was written with `pattern()` or `algebra`, or the options of another engine. */
  readonly find: TypedPattern<S, unknown> | Find
  /** What belongs together. An event for which it gives undefined is passed over. Default: `keyOf` of the pattern. */
  readonly key?: (event: AnyEvent) => string | undefined
  readonly emit: EmitDefinition<Contract, TypedMatch<S>>
  readonly suppress?: SuppressDefinition<TypedMatch<S>>
  /** As in a file: how long after an end it is taken to have come although no event says so. Default 10 s. */
  readonly idle?: number | string
  readonly tests?: readonly TestDefinition[]
}

/**
 * A rule in TypeScript, the default export of a file in `streams/<context>/rules/`. It is the same as one in YAML: the
 * same engines, state, tests and commands. Its functions must follow from their arguments alone. What they throw counts
 * as an evaluation error, or, in `emit`, is RULE_EMIT_FAILED. It changes with the code, not while it runs.
 * @throws DECLARATION_INVALID, PATTERN_INVALID, DETECTOR_INVALID, DURATION_INVALID
 */
export function defineRule<Contract extends EventContract, S extends Shapes>(
  definition: RuleDefinition<Contract, S>,
): Rule {
  const { name, version = 1, on, to } = definition
  if (!/^[A-Za-z0-9][A-Za-z0-9_-]{0,127}$/.test(name))
    throw fault('DECLARATION_INVALID', `rule ${JSON.stringify(name)}: a name is letters, digits, _ and -`)
  const found = foundBy(definition.find as Find)
  const typed = (match: Match) => found.match(match) as unknown as TypedMatch<S>
  const key = definition.key ?? found.keyOf
  if (key === undefined) throw fault('DECLARATION_INVALID', `rule ${name}: key is missing`)
  const emit = outputOf(definition, typed)
  const eventTypes = found.eventTypes
  if (eventTypes.length === 0) throw fault('DECLARATION_INVALID', `rule ${name}: it names no event type`)
  if (eventTypes.includes(emit.event) && (to ?? on) === on)
    throw fault('RULE_CYCLIC', `${name} would read the ${emit.event} that it emits`)
  return assembleRule({
    name,
    description: definition.description,
    kind: found.kind,
    enabled: definition.enabled ?? true,
    on,
    eventTypes,
    executable: found.executable,
    within: undefined,
    lateness: found.executable.lateness,
    idle: definition.idle === undefined ? undefined : parseDuration(definition.idle),
    hash: createHash('sha256')
      .update(JSON.stringify([name, version]))
      .digest('hex')
      .slice(0, 32),
    emit,
    onTimeout: undefined,
    suppress: suppressionOf(definition, typed, emit),
    tests: (definition.tests ?? []).map(testOf),
    places: { file: name, fields: {} },
    keyOf: key as (event: StoredEvent) => string | undefined,
  })
}

function outputOf<Contract extends EventContract, S extends Shapes>(
  { name, to, emit }: RuleDefinition<Contract, S>,
  typed: (match: Match) => TypedMatch<S>,
): RuleOutput {
  const { event, severity } = emit
  const data = (match: Match) => emit.data(typed(match)) as unknown
  const key = emit.key === undefined ? undefined : (match: Match) => emit.key?.(typed(match))
  return { event: event.type, severity, to, draft: emitByCode(name, { event: event.type, severity, data, key }) }
}

function suppressionOf<Contract extends EventContract, S extends Shapes>(
  { suppress }: RuleDefinition<Contract, S>,
  typed: (match: Match) => TypedMatch<S>,
  emit: RuleOutput,
): Suppression | undefined {
  if (suppress === undefined) return undefined
  const ms = parseDuration(suppress.for)
  const { max = 1, by } = suppress
  if (!(ms > 0) || !(Number.isInteger(max) && max > 0))
    throw fault('DECLARATION_INVALID', 'suppress: for is above 0, max a whole number from 1')
  const groupOf = (match: Match) =>
    by === undefined ? match.key : JSON.stringify(by(typed(match), emit.draft(match).data) ?? null)
  return { ms, max, groupOf, signature: JSON.stringify([ms, max, by === undefined ? null : by.toString()]) }
}

function testOf({ name, given, until, expect }: TestDefinition): RuleTest {
  let at = 0
  const events = given.map((each) => {
    const event = 'event' in each ? each.event : each
    if ('event' in each) at = parseDuration(typeof each.at === 'string' ? each.at.replace(/^\+/, '') : each.at)
    const { type, data, id, source, correlationId, causationId } = event
    return {
      type,
      data,
      at,
      ...(id === undefined ? {} : { id }),
      ...(source === undefined ? {} : { source }),
      ...(correlationId === undefined ? {} : { correlationId }),
      ...(causationId === undefined ? {} : { causationId }),
    }
  })
  const end =
    until === undefined ? {} : { until: parseDuration(typeof until === 'string' ? until.replace(/^\+/, '') : until) }
  return { name, given: events, expect: expect === 'none' ? [] : expect, ...end }
}
