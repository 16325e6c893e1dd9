// What a tree finds, worked out in another way than the engine does it: each part is asked for its whole future at once,
// from the moment at which it begins. Slow and without state, so that it shares no mistake with the engine.
import type { StoredEvent } from '../../../src/event/event.ts'
import type { Tree } from '../../../src/cep/tree/tree.ts'

interface Entry {
  readonly tag: string | undefined
  readonly at: number
}

/** A point between what happens: what begins here sees events from `next` on. */
interface Moment {
  readonly time: number
  readonly next: number
  /** Its place in the order of all that happens. */
  readonly rank: readonly number[]
}

interface Signal {
  readonly moment: Moment
  readonly own: readonly Entry[]
}

/** All that a part will say. `end`: when it runs no more; its last signal is then the one that completed it, or it failed. */
interface Future {
  readonly signals: readonly Signal[]
  readonly end: { readonly moment: Moment; readonly failed: boolean } | null
}

export interface Reference {
  readonly events: readonly StoredEvent[]
  /** Order in which filters are shown an event. */
  readonly filters: ReadonlyMap<Tree, number>
  readonly jumps: boolean
  /** Work that may still be done. */
  readonly budget: { left: number }
}

/** Trees that multiply can find more than a test has time for. */
export class TooMuch extends Error {}

function spend({ budget }: Reference, work: number): void {
  budget.left -= work
  if (budget.left < 0) throw new TooMuch()
}

export interface ReferenceMatch {
  /** Index of the event before which (timer) or at which it came. */
  readonly at: number
  readonly time: number
  readonly stages: Readonly<Record<string, readonly string[]>>
}

/** Filters in a `not` and in the end of an `until` come first. */
export function filterOrder(tree: Tree): Map<Tree, number> {
  const all: [Tree, boolean][] = []
  const walk = (part: Tree, ends: boolean): void => {
    if (part.kind === 'filter') all.push([part, ends])
    else if ('parts' in part) for (const each of part.parts) walk(each, ends)
    else if ('part' in part) walk(part.part, ends || part.kind === 'not')
    if (part.kind === 'until') walk(part.end, true)
  }
  walk(tree, false)
  return new Map(all.sort(([, a], [, b]) => Number(b) - Number(a)).map(([part], index) => [part, index]))
}

export function referenceMatches(tree: Tree, start: number, on: Reference): ReferenceMatch[] {
  const { signals } = future(tree, { time: start, next: 0, rank: [0, 0, start] }, [], on)
  return signals.map(({ moment, own }) => {
    const stages: Record<string, string[]> = {}
    for (const { tag, at } of [...own].sort((a, b) => a.at - b.at))
      if (tag !== undefined) (stages[tag] ??= []).push((on.events[at] as StoredEvent).id)
    return { at: moment.rank[0] as number, time: moment.time, stages }
  })
}

const NEVER: Future = { signals: [], end: null }

function before(a: Moment, b: Moment): boolean {
  for (let i = 0; i < Math.max(a.rank.length, b.rank.length); i++) {
    const [x, y] = [a.rank[i] ?? -1, b.rank[i] ?? -1]
    if (x !== y) return x < y
  }
  return false
}

const inOrder = (signals: Signal[]) =>
  signals.sort((a, b) => (before(a.moment, b.moment) ? -1 : before(b.moment, a.moment) ? 1 : 0))

function timer(ms: number, from: Moment, { events, jumps }: Reference): Moment | null {
  const time = from.time + ms
  const at = events.findIndex((event, index) => index >= from.next && event.time >= time)
  if (at === -1) return null
  // Timers of one time fire in the order in which they were set.
  return { time: jumps ? (events[at] as StoredEvent).time : time, next: at, rank: [at, 0, time, ...from.rank] }
}

function future(tree: Tree, from: Moment, begin: readonly Entry[], on: Reference): Future {
  spend(on, 1)
  switch (tree.kind) {
    case 'filter': {
      const at = on.events.findIndex(
        (event, index) =>
          index >= from.next &&
          (tree.events.length === 0 || tree.events.includes(event.type)) &&
          (tree.where?.(event, [begin.filter(({ tag }) => tag === 'a').length], '') ?? true),
      )
      if (at === -1) return NEVER
      const rank = [at, 1, on.filters.get(tree) as number, ...from.rank]
      const moment = { time: (on.events[at] as StoredEvent).time, next: at + 1, rank }
      return { signals: [{ moment, own: [{ tag: tree.tag, at }] }], end: { moment, failed: false } }
    }
    case 'interval': {
      const moment = tree.ms === 0 ? from : timer(tree.ms, from, on)
      return moment === null ? NEVER : { signals: [{ moment, own: [] }], end: { moment, failed: false } }
    }
    case 'within': {
      const part = future(tree.part, from, begin, on)
      const deadline = timer(tree.ms, from, on)
      if (deadline === null || (part.end !== null && before(part.end.moment, deadline))) return part
      const signals = part.signals.filter(({ moment }) => before(moment, deadline))
      return { signals, end: { moment: deadline, failed: true } }
    }
    case 'not': {
      const [first] = future(tree.part, from, begin, on).signals
      const end = first === undefined ? null : { moment: first.moment, failed: true }
      return { signals: first?.moment === from ? [] : [{ moment: from, own: [] }], end }
    }
    case 'every':
      return { signals: inOrder(everySignals(tree.part, from, begin, on)), end: null }
    case 'seq':
      return seqFuture(tree.parts, from, begin, on)
    case 'and':
      return andFuture(tree.parts, from, begin, on)
    case 'or':
      return orFuture(tree.parts.map((part) => future(part, from, begin, on)))
    case 'until':
      return untilFuture(tree.part, tree.end, tree.min ?? 0, tree.max ?? null, from, begin, on)
    case 'repeat':
      return untilFuture(tree.part, null, tree.count, tree.count, from, begin, on)
  }
}

function everySignals(part: Tree, from: Moment, begin: readonly Entry[], on: Reference): Signal[] {
  const { signals, end } = future(part, from, begin, on)
  // What is said at once does not count, and ends the copy that said it.
  if (signals[0]?.moment === from || (end !== null && end.moment === from)) return []
  const anew = signals.map(({ moment }) => moment)
  if (end?.failed === true) anew.push(end.moment)
  return [...signals, ...anew.flatMap((moment) => everySignals(part, moment, begin, on))]
}

function seqFuture(parts: readonly Tree[], from: Moment, begin: readonly Entry[], on: Reference): Future {
  const signals: Signal[] = []
  const ends: NonNullable<Future['end']>[] = []
  let open = false
  const run = (index: number, at: Moment, own: readonly Entry[]): void => {
    const part = future(parts[index] as Tree, at, [...begin, ...own], on)
    if (part.end === null) open = true
    for (const each of part.signals) {
      const both = { moment: each.moment, own: [...own, ...each.own] }
      if (index < parts.length - 1) run(index + 1, each.moment, both.own)
      else signals.push(both)
    }
    const completed = index < parts.length - 1 && part.end?.failed === false
    if (part.end !== null && !completed) ends.push(part.end)
  }
  run(0, from, [])
  inOrder(signals)
  if (open || ends.length === 0) return { signals, end: null }
  const end = ends.reduce((latest, each) => (before(each.moment, latest.moment) ? latest : each))
  return { signals, end: { moment: end.moment, failed: end.failed } }
}

/** Signals of several parts in one order; of one moment, those of the earlier part first. `over`: its part is complete. */
function merged(futures: readonly Future[]): (Signal & { readonly index: number; readonly over: boolean })[] {
  const all = futures.flatMap(({ signals, end }, index) =>
    signals.map((signal, at) => ({ ...signal, index, over: at === signals.length - 1 && end?.failed === false })),
  )
  inOrder(all as Signal[])
  return all
}

function andFuture(parts: readonly Tree[], from: Moment, begin: readonly Entry[], on: Reference): Future {
  const futures = parts.map((part) => future(part, from, begin, on))
  const fails = futures.flatMap(({ end }) => (end?.failed === true ? [end.moment] : []))
  const failed = fails.length === 0 ? null : fails.reduce((first, each) => (before(each, first) ? each : first))
  const had: (readonly Entry[])[][] = parts.map(() => [])
  const over = parts.map(({ kind }) => kind === 'not')
  const signals: Signal[] = []
  for (const { moment, own, index, over: last } of merged(futures)) {
    if (failed !== null && !before(moment, failed)) break
    const rows = had.reduce<(readonly Entry[])[]>(
      (lists, list, at) => lists.flatMap((row) => (at === index ? [own] : list).map((each) => [...row, ...each])),
      [[]],
    )
    spend(on, rows.length)
    had[index]?.push(own)
    if (last) over[index] = true
    signals.push(...rows.map((row) => ({ moment, own: row })))
    if (rows.length > 0 && over.every(Boolean)) return { signals, end: { moment, failed: false } }
  }
  return { signals, end: failed === null ? null : { moment: failed, failed: true } }
}

function orFuture(futures: readonly Future[]): Future {
  const signals: Signal[] = []
  for (const { moment, own, over } of merged(futures)) {
    signals.push({ moment, own })
    if (over) return { signals, end: { moment, failed: false } }
  }
  if (futures.some(({ end }) => end === null)) return { signals, end: null }
  const ends = futures.map(({ end }) => end?.moment as Moment)
  return { signals, end: { moment: ends.reduce((last, each) => (before(each, last) ? last : each)), failed: true } }
}

function untilFuture(
  part: Tree,
  end: Tree | null,
  min: number,
  max: number | null,
  from: Moment,
  begin: readonly Entry[],
  on: Reference,
): Future {
  const ending = end === null ? NEVER : future(end, from, begin, on)
  const stop = ending.signals[0]
  const stopped = stop?.moment ?? (ending.end === null ? null : ending.end.moment)
  let own: readonly Entry[] = []
  let count = 0
  for (let at = from; count < (max ?? Infinity);) {
    const body = future(part, at, [...begin, ...own], on)
    const limit = (moment: Moment) => stopped !== null && !before(moment, stopped)
    for (const each of body.signals) {
      if (limit(each.moment) || (max !== null && count === max)) break
      count++
      own = [...own, ...each.own]
      if (min === max && count === max)
        return { signals: [{ moment: each.moment, own }], end: { moment: each.moment, failed: false } }
    }
    if (body.end === null || limit(body.end.moment) || (max !== null && count === max)) break
    if (body.end.failed) return { signals: [], end: { moment: body.end.moment, failed: true } }
    at = body.end.moment
  }
  if (stopped === null) return NEVER
  if (stop === undefined || count < min) return { signals: [], end: { moment: stopped, failed: true } }
  return { signals: [{ moment: stopped, own: [...own, ...stop.own] }], end: { moment: stopped, failed: false } }
}
