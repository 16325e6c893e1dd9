import type { StoredEvent } from '../../event/event.js'
import { parseDuration } from '../../time/duration.js'
import { compilePattern, type CompileOptions } from '../compile-pattern.js'
import type { Beginning, Time } from './chain.js'
import { conditionOf, earlierAggregates, type Condition } from './earlier.js'
import {
  matchingStages,
  takeStages,
  type BoundPolicies,
  type Bounds,
  type Contiguity,
  type Matcher,
  type Pattern,
  type Repetition,
  type Skip,
  type Stage,
} from './pattern.js'
import { typesOf, type Events } from './stage-shape.js'
import { typedPattern } from './typed-pattern.js'

type AnyCondition = Condition<never, never>
type KeyOf = (event: StoredEvent) => string | undefined

/**
 * Begins a pattern. Its types are inferred: a match knows which stage is one event and which is a list.
 *
 * @example
 * const cardTesting = pattern()
 *   .begin('probe', PaymentAuthorized, (e) => e.data.amount < 2)
 *   .times(3, null)
 *   .notFollowedBy('verified', CardVerified)
 *   .followedBy('hit', PaymentAuthorized, (e, { probe }) => e.data.amount > 50 * probe.avg('amount'))
 *   .within('10m')
 *   .skip('past-last')
 *   .compile()
 */
export function pattern(): Beginning {
  return new PatternBuilder([], {}, undefined) as unknown as Beginning
}

/** Names by which conditions read what was taken; filled in when the pattern is whole. */
interface Names {
  stages: readonly string[]
}

/** A condition with its names still open. */
interface OpenMatcher {
  readonly events: readonly string[]
  readonly condition: AnyCondition | undefined
}

type OpenStage =
  | (OpenMatcher & Omit<Repetition, 'until'> & { kind: 'take'; name: string; greedy?: boolean; until?: OpenMatcher })
  | (OpenMatcher & { kind: 'not'; name: string; contiguity: 'strict' | 'relaxed'; withinPrev?: number })
  | (Omit<Repetition, 'until'> & { kind: 'group'; stages: readonly OpenStage[]; until?: OpenMatcher })

/** What `Chain` says is behind it. Never changes: each call gives a new one. */
class PatternBuilder {
  readonly #stages: readonly OpenStage[]
  readonly #rest: Omit<Pattern, 'stages'>
  readonly #keyOf: KeyOf | undefined

  constructor(stages: readonly OpenStage[], rest: Omit<Pattern, 'stages'>, keyOf: KeyOf | undefined) {
    this.#stages = stages
    this.#rest = rest
    this.#keyOf = keyOf
  }

  begin(nameOrGroup: string | PatternBuilder, events?: Events, where?: AnyCondition): PatternBuilder {
    return this.#add(undefined, nameOrGroup, events, where)
  }

  next(nameOrGroup: string | PatternBuilder, events?: Events, where?: AnyCondition): PatternBuilder {
    return this.#add('strict', nameOrGroup, events, where)
  }

  followedBy(nameOrGroup: string | PatternBuilder, events?: Events, where?: AnyCondition): PatternBuilder {
    return this.#add('relaxed', nameOrGroup, events, where)
  }

  followedByAny(nameOrGroup: string | PatternBuilder, events?: Events, where?: AnyCondition): PatternBuilder {
    return this.#add('any', nameOrGroup, events, where)
  }

  notNext(name: string, events: Events, where?: AnyCondition): PatternBuilder {
    return this.#push({ kind: 'not', name, contiguity: 'strict', events: typesOf(events), condition: where })
  }

  notFollowedBy(name: string, events: Events, where?: AnyCondition): PatternBuilder {
    return this.#push({ kind: 'not', name, contiguity: 'relaxed', events: typesOf(events), condition: where })
  }

  times(min: number, max: number | null = min): PatternBuilder {
    return this.#change({ times: { min, max } })
  }

  oneOrMore(): PatternBuilder {
    return this.times(1, null)
  }

  optional(): PatternBuilder {
    return this.#change({ optional: true })
  }

  greedy(): PatternBuilder {
    return this.#change({ greedy: true })
  }

  consecutive(): PatternBuilder {
    return this.#change({ inner: 'strict' })
  }

  combinations(): PatternBuilder {
    return this.#change({ inner: 'any' })
  }

  until(events: Events, where?: AnyCondition): PatternBuilder {
    return this.#change({ until: { events: typesOf(events), condition: where } })
  }

  withinPrev(time: Time): PatternBuilder {
    return this.#change({ withinPrev: parseDuration(time) })
  }

  timesWindow(time: Time): PatternBuilder {
    return this.#change({ timesWindow: parseDuration(time) })
  }

  within(time: Time): PatternBuilder {
    return this.#with({ within: parseDuration(time) })
  }

  skip(type: Skip['type'], stage?: string, options: { throwOnMiss?: boolean } = {}): PatternBuilder {
    return this.#with({ skip: (stage === undefined ? { type } : { type, stage, ...options }) as Skip })
  }

  key(of: KeyOf): PatternBuilder {
    return new PatternBuilder(this.#stages, this.#rest, of)
  }

  sees(events: Events): PatternBuilder {
    return this.#with({ events: [...(this.#rest.events ?? []), ...typesOf(events)] })
  }

  lateness(time: Time): PatternBuilder {
    return this.#with({ lateness: parseDuration(time) })
  }

  grace(time: Time): PatternBuilder {
    return this.#with({ grace: parseDuration(time) })
  }

  bounds(bounds: Partial<Bounds>, policies?: BoundPolicies): PatternBuilder {
    return this.#with({ bounds, ...(policies === undefined ? {} : { policies }) })
  }

  options(options: Pick<Pattern, 'orderBy' | 'holdback' | 'compat'>): PatternBuilder {
    return this.#with(options)
  }

  data(): Pattern {
    const names: Names = { stages: [] }
    const stages = this.#stages.map((stage) => closed(stage, names))
    const reads = matchingStages(stages).some((stage) => stage.local === false) || readsUntil(stages)
    if (reads) names.stages = takeStages(stages).map(({ name }) => name)
    return { ...this.#rest, stages, aggregates: earlierAggregates(names.stages) }
  }

  compile(options?: CompileOptions): unknown {
    const data = this.data()
    return typedPattern(data, compilePattern(data, options), this.#keyOf, manyOf(data.stages))
  }

  #add(
    contiguity: Contiguity | undefined,
    what: string | PatternBuilder,
    events: Events = [],
    condition?: AnyCondition,
  ): PatternBuilder {
    const related = contiguity === undefined ? {} : { contiguity }
    if (typeof what !== 'string') return this.#push({ kind: 'group', ...related, stages: what.#stages })
    return this.#push({ kind: 'take', name: what, ...related, events: typesOf(events), condition })
  }

  #push(stage: OpenStage): PatternBuilder {
    return new PatternBuilder([...this.#stages, stage], this.#rest, this.#keyOf)
  }

  #change(change: object): PatternBuilder {
    const last = this.#stages.at(-1)
    const changed = last === undefined ? [] : [{ ...last, ...change } as OpenStage]
    return new PatternBuilder([...this.#stages.slice(0, -1), ...changed], this.#rest, this.#keyOf)
  }

  #with(rest: Partial<Pattern>): PatternBuilder {
    return new PatternBuilder(this.#stages, { ...this.#rest, ...rest }, this.#keyOf)
  }
}

function closed(stage: OpenStage, names: Names): Stage {
  if (stage.kind === 'not') {
    const { condition, events, ...rest } = stage
    return { ...rest, ...matcher({ events, condition }, names) }
  }
  const { until, ...more } = stage
  const ends = until === undefined ? {} : { until: matcher(until, names) }
  if (more.kind === 'group') return { ...more, ...ends, stages: more.stages.map((each) => closed(each, names)) }
  const { condition, events, ...rest } = more
  return { ...rest, ...ends, ...matcher({ events, condition }, names) }
}

function matcher({ events, condition }: OpenMatcher, names: Names): Matcher {
  return { events, ...conditionOf(condition, () => names.stages) }
}

function readsUntil(stages: readonly Stage[]): boolean {
  return stages.some(
    (stage) =>
      stage.kind !== 'not' && (stage.until?.local === false || (stage.kind === 'group' && readsUntil(stage.stages))),
  )
}

/** Stages that may take several events: they are repeated, or stand in a group that is. */
function manyOf(stages: readonly Stage[], inside = false): Set<string> {
  const many = new Set<string>()
  for (const stage of stages) {
    if (stage.kind === 'not') continue
    const repeats = inside || stage.times !== undefined
    if (stage.kind === 'take' && repeats) many.add(stage.name)
    if (stage.kind === 'group') for (const name of manyOf(stage.stages, repeats)) many.add(name)
  }
  return many
}
