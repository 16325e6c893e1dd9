import type { Tree } from './tree.js'

/** What can be said of a tree before it runs. */
export interface Traits {
  /** How long after its start it comes first when no event does, ms; never more than it takes. Infinity: it needs an event. */
  readonly idle: number
  /** It may come more than once. */
  readonly repeats: boolean
  /** From its start it is over by itself in time. */
  readonly expires: boolean
  /** What it holds is bounded by its own shape, or by time and how many events come in it. */
  readonly bounded: boolean
  /** It waits for its first event as long as that takes; from then on it is over by itself in time. */
  readonly settles: boolean
  /** Once it has settled, it is as at its beginning. */
  readonly returns: boolean
  /** The first event that means anything to it ends it. */
  readonly single: boolean
}

const PLAIN = { repeats: false, expires: false, bounded: true, settles: false, returns: false, single: false } as const

/** The traits of a tree, from those of its parts. */
export function traitsOf(tree: Tree): Traits {
  switch (tree.kind) {
    case 'filter':
      return { ...PLAIN, idle: Infinity, settles: true, single: true }
    case 'interval':
      return { ...PLAIN, idle: tree.ms, expires: true }
    case 'within': {
      const part = traitsOf(tree.part)
      const idle = part.idle < tree.ms ? part.idle : Infinity
      return { ...PLAIN, idle, repeats: part.repeats, expires: true }
    }
    case 'not':
      return notTraits(traitsOf(tree.part))
    case 'every':
      return everyTraits(traitsOf(tree.part))
    case 'seq':
      return seqTraits(tree.parts.map(traitsOf))
    case 'and':
      return andTraits(tree.parts.map((part) => ({ ...traitsOf(part), kind: part.kind })))
    case 'or':
      return orTraits(tree.parts.map(traitsOf))
    case 'until':
      return untilTraits(traitsOf(tree.part), traitsOf(tree.end), tree.min ?? 0, tree.max ?? null)
    case 'repeat':
      return repeatTraits(traitsOf(tree.part), tree.count)
  }
}

function notTraits({ idle, bounded, single, returns }: Traits): Traits {
  return { ...PLAIN, idle: idle === 0 ? Infinity : 0, bounded, settles: single || returns, single }
}

/** A copy that comes as it begins does not count, so that nothing goes on for ever. */
function everyTraits(part: Traits): Traits {
  const bounded = part.bounded && !part.repeats
  // what comes by time alone has begun with the tree, before its first event
  const settles = part.settles && bounded && (part.idle === 0 || part.idle === Infinity)
  return { ...PLAIN, idle: part.idle === 0 ? Infinity : part.idle, repeats: true, bounded, settles, returns: settles }
}

/** What follows a part that repeats is there as often as that came, and must go by itself. */
function seqTraits(parts: readonly Traits[]): Traits {
  const [first, ...rest] = parts as [Traits, ...Traits[]]
  const expiring = rest.every((part) => part.expires)
  const repeating = parts.findIndex((part) => part.repeats)
  const piling = repeating !== -1 && parts.slice(repeating + 1).some((part) => !part.expires)
  // a first part that comes at once has begun the next one before any event
  const settles = first.settles && first.idle === Infinity && expiring
  return {
    idle: parts.reduce((sum, part) => sum + part.idle, 0),
    repeats: repeating !== -1,
    expires: first.expires && expiring,
    bounded: parts.every((part) => part.bounded) && !piling,
    settles,
    returns: settles && first.returns,
    single: first.single && rest.length === 0,
  }
}

/** What a part that repeats brought is kept for the others, as long as they can come. */
function andTraits(all: readonly (Traits & { kind: Tree['kind'] })[]): Traits {
  const parts = all.filter(({ kind }) => kind !== 'not')
  const repeats = parts.some((part) => part.repeats)
  return {
    idle: parts.reduce((most, part) => Math.max(most, part.idle), 0),
    repeats,
    expires: parts.length > 0 && parts.every((part) => part.expires),
    bounded: all.every((part) => part.bounded) && (!repeats || parts.length === 1),
    settles: parts.length === 1 && all.every((part) => part.settles),
    returns: false,
    single: parts.length === 1 && all.every((part) => part.single),
  }
}

function orTraits(parts: readonly Traits[]): Traits {
  const returns = parts.every((part) => part.returns)
  return {
    idle: parts.reduce((least, part) => Math.min(least, part.idle), Infinity),
    repeats: parts.some((part) => part.repeats),
    expires: parts.every((part) => part.expires),
    bounded: parts.every((part) => part.bounded),
    settles: parts.every((part) => part.returns || part.single),
    returns,
    single: parts.every((part) => part.single),
  }
}

function untilTraits(part: Traits, end: Traits, min: number, max: number | null): Traits {
  const enough = severalTimes(part, min)
  return {
    ...PLAIN,
    idle: enough > end.idle ? Infinity : min === max ? enough : end.idle,
    expires: end.expires,
    bounded: part.bounded && end.bounded && max !== null,
  }
}

function repeatTraits(part: Traits, count: number): Traits {
  const { bounded, expires } = part
  return { ...PLAIN, idle: severalTimes(part, count), expires, bounded }
}

/** How long it takes at the least: what repeats may come again at any time once it came. */
function severalTimes({ idle, repeats }: Traits, count: number): number {
  if (count === 0) return 0
  return repeats ? idle : count * idle
}
