import { loopsOf, type Positions } from './positions.js'

/** More pairs and triples than this are not looked at: the expression is taken to be ambiguous. */
const MOST_LOOKED_AT = 200_000
/** Higher degrees are not told apart. */
const HIGHEST = 2

/** What is left to look at. */
interface Budget {
  left: number
}

/**
 * In how many ways a text can be read, as it grows: `exponential`, or a power of its length (0: bounded; at most 2 is
 * told). An engine that
 * goes back and tries again takes time that grows like this. By the criteria of Weber and Seidl, On the degree of
 * ambiguity of finite automata (1991): a state with two loops over one word, and chains of loops that share a word.
 */
export function ambiguityOf(positions: Positions): 'exponential' | number {
  const loops = loopsOf(positions)
  const budget = { left: MOST_LOOKED_AT }
  for (const loop of loops) if (isAmbiguous(positions, loop, budget)) return 'exponential'
  const reach = loops.map((loop) => reachable(positions, loop))
  const degree = loops.map(() => 0)
  // loops come in order: what a loop leads to comes before it
  loops.forEach((loop, at) => {
    for (let after = 0; after < at; after++) {
      if ((degree[at] as number) >= HIGHEST) break
      const other = loops[after] as readonly number[]
      if (!reach[at]?.has(other[0] as number)) continue
      const risen = (degree[after] as number) + 1
      if (risen > (degree[at] as number) && shareWord(positions, loop, other, budget)) degree[at] = risen
    }
  })
  return Math.max(0, ...degree)
}

function reachable({ after }: Positions, from: readonly number[]): Set<number> {
  const seen = new Set(from)
  const open = [...from]
  for (let at = open.pop(); at !== undefined; at = open.pop())
    for (const next of after[at]?.keys() ?? [])
      if (!seen.has(next)) {
        seen.add(next)
        open.push(next)
      }
  return seen
}

/** Whether a word leads from a position of the loop back to it in two ways. */
function isAmbiguous({ sets, after }: Positions, loop: readonly number[], budget: Budget): boolean {
  const inside = new Set(loop)
  for (const at of loop) for (const [next, ways] of after[at] ?? []) if (inside.has(next) && ways > 1) return true
  const size = sets.length
  const onward = (pair: number): number[] => {
    const [a, b] = [Math.floor(pair / size), pair % size]
    const pairs: number[] = []
    for (const p of after[a]?.keys() ?? [])
      for (const q of after[b]?.keys() ?? [])
        if (inside.has(p) && inside.has(q) && ((sets[p] as bigint) & (sets[q] as bigint)) !== 0n)
          pairs.push(p * size + q)
    return pairs
  }
  const ahead = new Map<number, number[]>()
  const open = loop.map((at) => at * size + at)
  for (let pair = open.pop(); pair !== undefined; pair = open.pop()) {
    if (ahead.has(pair)) continue
    if (budget.left-- <= 0) return true
    const next = onward(pair)
    ahead.set(pair, next)
    open.push(...next)
  }
  const behind = new Map<number, number[]>()
  for (const [pair, next] of ahead) for (const to of next) behind.set(to, [...(behind.get(to) ?? []), pair])
  const seen = new Set<number>()
  const back = loop.map((at) => at * size + at)
  for (let pair = back.pop(); pair !== undefined; pair = back.pop()) {
    if (seen.has(pair)) continue
    seen.add(pair)
    if (Math.floor(pair / size) !== pair % size) return true
    back.push(...(behind.get(pair) ?? []))
  }
  return false
}

/** Whether a word goes round the one loop, leads from it to the other, and goes round the other. */
function shareWord(
  { sets, after }: Positions,
  one: readonly number[],
  other: readonly number[],
  budget: Budget,
): boolean {
  const [first, last] = [new Set(one), new Set(other)]
  const size = sets.length
  const name = (a: number, b: number, c: number) => (a * size + b) * size + c
  for (const p of one)
    for (const q of other) {
      const goal = name(p, q, q)
      const seen = new Set<number>()
      const open = [[p, p, q]]
      for (let at = open.pop(); at !== undefined; at = open.pop()) {
        const [a, b, c] = at as [number, number, number]
        if (budget.left-- <= 0) return true
        for (const [x, y, z] of together(sets, after, a, b, c)) {
          if (!first.has(x) || !last.has(z)) continue
          const to = name(x, y, z)
          if (to === goal) return true
          if (seen.has(to)) continue
          seen.add(to)
          open.push([x, y, z])
        }
      }
    }
  return false
}

function* together(
  sets: Positions['sets'],
  after: Positions['after'],
  a: number,
  b: number,
  c: number,
): Generator<[number, number, number]> {
  for (const x of after[a]?.keys() ?? [])
    for (const y of after[b]?.keys() ?? []) {
      const both = (sets[x] as bigint) & (sets[y] as bigint)
      if (both === 0n) continue
      for (const z of after[c]?.keys() ?? []) if ((both & (sets[z] as bigint)) !== 0n) yield [x, y, z]
    }
}
