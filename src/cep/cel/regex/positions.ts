import { boundsOf, maskOf } from './char-set.js'
import type { RegexProgram, Step } from './regex-program.js'

/** The places of a regular expression where it takes a character, and which may come after which. */
export interface Positions {
  /** The characters of each, as bits: one bit for all characters that are alike to the expression. */
  readonly sets: readonly bigint[]
  /** By position: those that may come next, and in how many ways (more than one counts as two). */
  readonly after: readonly ReadonlyMap<number, number>[]
}

/** Ways through what takes nothing are followed up to this many; then there are taken to be several. */
const MOST_WAYS = 2_000

export function positionsOf({ steps }: RegexProgram): Positions {
  const taking = steps.flatMap((step, index) => (step.kind === 'take' ? [{ step, index }] : []))
  const bounds = boundsOf(taking.map(({ step }) => step.set))
  const positionOf = new Map(taking.map(({ index }, position) => [index, position]))
  return {
    sets: taking.map(({ step }) => maskOf(step.set, bounds)),
    after: taking.map(({ step }) => waysFrom(steps, step.next, positionOf)),
  }
}

function waysFrom(steps: readonly Step[], from: number, positionOf: ReadonlyMap<number, number>): Map<number, number> {
  const ways = new Map<number, number>()
  const within = new Set<number>()
  let left = MOST_WAYS
  const walk = (index: number): void => {
    const position = positionOf.get(index)
    if (position !== undefined) {
      ways.set(position, Math.min(2, (ways.get(position) ?? 0) + 1))
      return
    }
    if (within.has(index) || left-- <= 0) return
    const step = steps[index] as Step
    within.add(index)
    if (step.kind === 'assert') walk(step.next)
    else if (step.kind === 'fork') {
      walk(step.next)
      walk(step.or)
    }
    within.delete(index)
  }
  walk(from)
  if (left > 0) return ways
  return new Map(Array.from(closure(steps, from, positionOf), (position) => [position, 2]))
}

function closure(steps: readonly Step[], from: number, positionOf: ReadonlyMap<number, number>): Set<number> {
  const found = new Set<number>()
  const seen = new Set<number>()
  const open = [from]
  for (let index = open.pop(); index !== undefined; index = open.pop()) {
    if (seen.has(index)) continue
    seen.add(index)
    const position = positionOf.get(index)
    const step = steps[index] as Step
    if (position !== undefined) found.add(position)
    else if (step.kind === 'assert') open.push(step.next)
    else if (step.kind === 'fork') open.push(step.next, step.or)
  }
  return found
}

/** Strongly connected parts that a word can go round (Tarjan): what a part leads to comes before it. */
export function loopsOf({ after }: Positions): number[][] {
  const found: number[][] = []
  const order = new Map<number, number>()
  const low: number[] = []
  const stack: number[] = []
  const onStack = new Set<number>()
  const enter = (at: number): Frame => {
    order.set(at, order.size)
    low[at] = order.get(at) as number
    stack.push(at)
    onStack.add(at)
    return { at, next: [...(after[at]?.keys() ?? [])].values() }
  }
  for (const root of after.keys()) {
    if (order.has(root)) continue
    const frames = [enter(root)]
    for (let frame = frames.at(-1); frame !== undefined; frame = frames.at(-1)) {
      const { at } = frame
      const next = frame.next.next()
      if (next.done !== true) {
        if (!order.has(next.value)) frames.push(enter(next.value))
        else if (onStack.has(next.value)) low[at] = Math.min(low[at] as number, order.get(next.value) as number)
        continue
      }
      frames.pop()
      const above = frames.at(-1)
      if (above !== undefined) low[above.at] = Math.min(low[above.at] as number, low[at] as number)
      if (low[at] !== order.get(at)) continue
      const part = stack.splice(stack.lastIndexOf(at))
      for (const each of part) onStack.delete(each)
      if (part.length > 1 || after[at]?.has(at)) found.push(part)
    }
  }
  return found
}

interface Frame {
  readonly at: number
  readonly next: Iterator<number, undefined>
}
