import { nearestName } from '../../event/nearest-name.js'
import type { AnyAggregator } from '../aggregate/aggregator.js'
import { aggregators } from '../aggregate/aggregators.js'
import type { Kinds } from '../cel/check-kinds.js'
import { parseCall, type CallArgument } from '../cel/parse-call.js'
import { Slots } from '../cel/slots.js'
import { EVENT_VARIABLES } from './read-key.js'
import type { Entry } from './rule-file.js'
import type { CompiledExpression, RuleScope } from './rule-scope.js'

export interface ReadAggregator {
  readonly aggregator: AnyAggregator
  /** What its result can be. */
  readonly kinds: Kinds
}

type Of = (event: Parameters<CompiledExpression['evaluate']>[0]) => unknown
interface Call {
  readonly of: Of
  readonly kinds: Kinds
  readonly text: string
  /** The other arguments; all are constants. */
  readonly rest: readonly unknown[]
}

const NUMBER: Kinds = new Set(['number', 'null'])
const LIST: Kinds = new Set(['list'])
const MAP: Kinds = new Set(['map'])

/** By name: what it makes of its arguments, or what is wrong with them. */
const MAKERS: Readonly<Record<string, (call: Call) => ReadAggregator | string>> = {
  sum: ({ of, text }) => ({ aggregator: aggregators.sum(of, text), kinds: NUMBER }),
  avg: ({ of, text }) => ({ aggregator: aggregators.avg(of, text), kinds: NUMBER }),
  min: ({ of, text }) => ({ aggregator: aggregators.min(of, text), kinds: NUMBER }),
  max: ({ of, text }) => ({ aggregator: aggregators.max(of, text), kinds: NUMBER }),
  stddev: ({ of, text }) => ({ aggregator: aggregators.stddev(of, {}, text), kinds: NUMBER }),
  variance: ({ of, text }) => ({ aggregator: aggregators.variance(of, {}, text), kinds: NUMBER }),
  first: ({ of, text, kinds }) => ({ aggregator: aggregators.first(of, text), kinds }),
  last: ({ of, text, kinds }) => ({ aggregator: aggregators.last(of, text), kinds }),
  distinct: ({ of, text }) => ({ aggregator: aggregators.distinct(of, {}, text), kinds: NUMBER }),
  quantile: ({ of, text, rest: [q] }) =>
    isShare(q)
      ? { aggregator: aggregators.quantile(of, q, {}, text), kinds: NUMBER }
      : 'quantile takes a value and a number from 0 to 1: quantile(data.amount, 0.99)',
  quantiles: ({ of, text, rest }) =>
    rest.length > 0 && rest.length <= 20 && rest.every(isShare)
      ? { aggregator: aggregators.quantiles(of, rest, {}, text), kinds: MAP }
      : 'quantiles takes a value and numbers from 0 to 1: quantiles(data.amount, 0.5, 0.99)',
  topK: ({ of, text, rest: [k] }) =>
    typeof k === 'number' && Number.isInteger(k) && k >= 1 && k <= 1_000
      ? { aggregator: aggregators.topK(of, k, {}, text), kinds: LIST }
      : 'topK takes a value and how many, 1 to 1000: topK(data.merchantId, 3)',
}
const NAMES = ['count', ...Object.keys(MAKERS)]
const OF_NUMBERS = new Set(['sum', 'avg', 'min', 'max', 'stddev', 'variance', 'quantile', 'quantiles'])

/** Reads `sum(data.amount)`, `count()`, `quantile(data.amount, 0.99)`, `topK(data.merchantId, 3)`. */
export function readAggregator(entry: Entry, scope: RuleScope, types: readonly string[]): ReadAggregator | undefined {
  const { file } = scope
  const found = file.scalar(entry, entry.key)
  if (found === undefined) return undefined
  const whole = String(found.value)
  const fail = (at: number, detail: string): undefined => {
    file.issue(file.within(found.node, whole, at), detail, 'EXPRESSION_INVALID')
    return undefined
  }
  if (whole.length > 4_000) return fail(0, 'an expression has at most 4000 characters')
  const call = parseCall(whole)
  if (!call.ok) return fail(call.problem.at, call.problem.detail)
  const { name, args } = call
  const make = Object.hasOwn(MAKERS, name) ? MAKERS[name] : undefined
  if (name !== 'count' && make === undefined) {
    const nearest = nearestName(name, NAMES)
    return fail(
      0,
      `there is no ${name}; ${nearest === undefined ? `there are: ${NAMES.join(', ')}` : `did you mean ${nearest}?`}`,
    )
  }
  const [first, ...rest] = args
  if (first === undefined) return make === undefined ? COUNT : fail(0, `${name} takes a value: ${name}(data.…)`)
  const of = compile(first, { entry, scope, types, node: found.node, whole })
  if (of === undefined) return undefined
  if (OF_NUMBERS.has(name) && of.kinds?.has('number') === false)
    return fail(first.at, `${name} of ${[...of.kinds].join(' or ')}`)
  const reader: Of = (event) => of.evaluate(event, [], '')
  if (make === undefined) return { aggregator: aggregators.count(reader, `count(${first.text})`), kinds: NUMBER }
  const most = name === 'quantile' || name === 'topK' ? 1 : name === 'quantiles' ? 20 : 0
  if (rest.length > most) return fail(rest[most]?.at ?? 0, `${name} takes ${most + 1} of them`)
  const made = make({
    of: reader,
    kinds: of.kinds,
    text: `${name}(${first.text})`,
    rest: rest.map((arg) => arg.constant),
  })
  return typeof made === 'string' ? fail(rest[0]?.at ?? 0, made) : made
}

const COUNT: ReadAggregator = { aggregator: aggregators.count(), kinds: new Set(['number']) }

function compile(
  { text, at }: CallArgument,
  where: {
    readonly entry: Entry
    readonly scope: RuleScope
    readonly types: readonly string[]
    readonly node: Parameters<RuleScope['compile']>[0]
    readonly whole: string
  },
): CompiledExpression | undefined {
  const over = { variables: EVENT_VARIABLES, slots: new Slots(), types: where.types }
  return where.scope.compile(where.node, text, over, { whole: where.whole, at })
}

function isShare(value: unknown): value is number {
  return typeof value === 'number' && value >= 0 && value <= 1
}
