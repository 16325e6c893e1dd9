// Source: what is built, and in which order edges are tried, follows the compile step of Flink's NFA
// (flink-cep, NFACompiler), which the conformance cases were recorded from.
import type { GroupStage, NotStage, Pattern, Stage, TakeStage } from '../pattern/pattern.js'
import type { Edge, Graph, Node } from './graph.js'
import { ALWAYS, and, unless, type Guard } from './guard.js'
import { PatternParts } from './lay-out-conditions.js'
import { bansBefore, Gaps, headsOptionalGroup, joinOf, Openings, type Place } from './place.js'

/** How one repetition takes and ignores. */
interface Repeat {
  readonly take: Guard
  readonly ignore: Guard | null
  /** May be left out by going on to `proceed`. */
  readonly optional: boolean
  readonly initial: boolean
}

/** Builds the graph of a pattern, from its end. */
export function buildGraph(pattern: Pattern): Graph {
  const builder = new GraphBuilder(pattern)
  return builder.graph()
}

class GraphBuilder {
  readonly #pattern: Pattern
  readonly #parts: PatternParts
  readonly #openings: Openings
  readonly #gaps: Gaps
  readonly #nodes: Node[] = []
  readonly #stops = new Map<NotStage, Node>()
  /** Copies of what follows a greedy repetition, without its guard: for when `until` has ended it. */
  readonly #unguarded = new Map<Node, Node>()

  constructor(pattern: Pattern) {
    this.#pattern = pattern
    this.#parts = new PatternParts(pattern)
    this.#openings = new Openings((matcher) => this.#parts.bit(matcher))
    this.#gaps = new Gaps(pattern)
  }

  graph(): Graph {
    const final = this.#node('final', null, Infinity)
    const begin = this.#chain(this.#pattern.stages, null, null, final)
    return { begin, nodes: this.#nodes, conditions: this.#parts.conditions, steps: this.#parts.steps }
  }

  #chain(stages: readonly Stage[], inside: Place['inside'], after: Stage | null, sink: Node): Node {
    let next = sink
    let following = after
    for (let at = stages.length - 1; at >= 0; at--) {
      const stage = stages[at] as Stage
      const place: Place = { stages, at, following, inside }
      next = stage.kind === 'not' ? this.#not(place, stage, next) : this.#repetition(place, stage, next)
      following = stage
    }
    return next
  }

  #inside(place: Place, group: GroupStage, first: boolean, sink: Node): Node {
    const joins = first ? joinOf(place, group) : (group.inner ?? 'relaxed')
    return this.#chain(group.stages, { group, first, joins }, place.following, sink)
  }

  #not(place: Place, stage: NotStage, sink: Node): Node {
    const on = this.#openings.take(place, stage)
    if (stage.contiguity === 'strict') {
      const node = this.#node('wait', stage, this.#gaps.named(stage))
      edge(node, sink.kind === 'final' ? 'ignore' : 'proceed', sink, unless(ALWAYS, on))
      edge(node, 'proceed', this.#stop(stage), on)
      return node
    }
    // Anywhere but at the end it is a way out of the nodes around it.
    if (sink.kind !== 'final' || (stage.withinPrev ?? this.#pattern.within) === undefined) return sink
    const node = this.#node('pending', stage, stage.withinPrev ?? Infinity)
    edge(node, 'proceed', this.#stop(stage), on)
    edge(node, 'ignore', node, unless(ALWAYS, on))
    return node
  }

  #repetition(place: Place, stage: TakeStage | GroupStage, sink: Node): Node {
    const { times } = stage
    let node: Node
    if (times === undefined) {
      const take = this.#openings.take(place, stage)
      const ignore = this.#openings.ignoreBefore(place, stage)
      node = this.#once(place, stage, sink, sink, { take, ignore, optional: stage.optional === true, initial: true })
    } else if (times.max === null) {
      const looping = this.#looping(place, stage, this.#withoutBans(place, stage, sink))
      node = this.#times(place, stage, looping, sink, times.min, times.min)
    } else node = this.#times(place, stage, sink, sink, times.min, times.max)
    this.#addStops(place, node)
    return node
  }

  #times(place: Place, stage: TakeStage | GroupStage, sink: Node, proceed: Node, min: number, max: number): Node {
    const until = this.#until(stage)
    const take = and(this.#openings.take(place, stage), 0, until)
    const ignore = this.#openings.ignoreBetween(place, stage, until)
    if (stage.kind === 'take' && stage.greedy === true && min !== max) {
      if (until !== 0) this.#unguarded.set(sink, this.#copy(sink))
      guard(sink, take)
    }
    let next = sink
    // Built from the end: the repetitions that may be left out come last.
    for (let n = max; n > 1; n--) {
      next = this.#once(place, stage, next, proceed, { take, ignore, optional: n > min, initial: false })
      this.#addLoopStop(place, next)
    }
    const before = this.#openings.ignoreBefore(place, stage)
    const optional = stage.optional === true
    return this.#once(place, stage, next, proceed, { take, ignore: before, optional, initial: true })
  }

  /** One repetition that leads to `sink`, or past it to `proceed` when it may be left out. */
  #once(place: Place, stage: TakeStage | GroupStage, sink: Node, proceed: Node, repeat: Repeat): Node {
    const { take, ignore, optional, initial } = repeat
    if (stage.kind === 'group') {
      const head = this.#inside(place, stage, initial, sink)
      if (optional) edge(head, 'proceed', proceed, this.#openings.pass(place))
      return head
    }
    const gap = this.#gaps.of(place, stage, initial)
    const node = this.#node('wait', stage, gap)
    const target = this.#withoutBans(place, stage, sink)
    edge(node, 'take', target, take)
    if (optional) this.#pass(place, stage, node, proceed)
    if (ignore === null) return node
    if (!optional && !headsOptionalGroup(place)) {
      edge(node, 'ignore', node, ignore)
      return node
    }
    // Once it has ignored an event, the ways past it have been taken: it may not take them again.
    const waiting = this.#node('wait', stage, this.#gaps.ofWaiting(gap))
    edge(waiting, 'take', target, take)
    edge(waiting, 'ignore', waiting, ignore)
    this.#addStops(place, waiting)
    edge(node, 'ignore', waiting, ignore)
    return node
  }

  /** The way past an optional stage. */
  #pass(place: Place, stage: TakeStage, node: Node, proceed: Node): void {
    const open = this.#openings.pass(place)
    const until = this.#until(stage)
    if (stage.greedy !== true || until === 0) edge(node, 'proceed', proceed, open)
    else passUntil(node, proceed, this.#unguarded.get(proceed) ?? proceed, open, until)
  }

  /** A repetition without limit, from where one more may come. */
  #looping(place: Place, stage: TakeStage | GroupStage, sink: Node): Node {
    const open = this.#openings.pass(place)
    if (stage.kind === 'group') {
      const round = this.#node('wait', stage, this.#gaps.named(stage))
      const head = this.#inside(place, stage, false, round)
      edge(head, 'proceed', sink, open)
      edge(round, 'proceed', head, open)
      return head
    }
    const until = this.#until(stage)
    const take = and(this.#openings.take(place, stage), 0, until)
    const ignore = this.#openings.ignoreBetween(place, stage, until)
    const gap = this.#gaps.of(place, stage, false)
    const node = this.#node('wait', stage, gap)
    if (stage.greedy === true && until !== 0) {
      const unguarded = this.#copy(sink)
      this.#unguarded.set(sink, unguarded)
      passUntil(node, sink, unguarded, open, until)
    } else edge(node, 'proceed', sink, open)
    if (stage.greedy === true) guard(sink, this.#openings.take(place, stage))
    edge(node, 'take', node, take)
    this.#addLoopStop(place, node)
    if (ignore === null) return node
    const waiting = this.#node('wait', stage, this.#gaps.ofWaiting(gap))
    edge(waiting, 'take', node, take)
    edge(waiting, 'ignore', waiting, ignore)
    edge(node, 'ignore', waiting, ignore)
    this.#addLoopStop(place, waiting)
    return node
  }

  /** For when an optional stage was not left out: what was forbidden before it is no longer. */
  #withoutBans(place: Place, stage: TakeStage | GroupStage, sink: Node): Node {
    const bans = stage.optional === true ? bansBefore(place) : []
    if (bans.length === 0) return sink
    const stops = new Set(bans.map((not) => this.#stops.get(not)))
    const copied = (from: Node): Node => {
      const copy = this.#like(from)
      for (const { action, target, guard: open } of from.edges) {
        if (action !== 'proceed') edge(copy, action, target === from ? copy : target, open)
        else if (target.kind !== 'stop') edge(copy, 'proceed', copied(target), open)
        else if (!stops.has(target)) edge(copy, 'proceed', target, open)
      }
      return copy
    }
    return copied(sink)
  }

  #copy(from: Node): Node {
    const copy = this.#like(from)
    for (const { action, target, guard: open } of from.edges) edge(copy, action, target === from ? copy : target, open)
    return copy
  }

  #like({ kind, stage, gap }: Node): Node {
    return this.#node(kind, stage, this.#gaps.ofWaiting(gap))
  }

  #addStops(place: Place, node: Node): void {
    for (const not of bansBefore(place)) edge(node, 'proceed', this.#stop(not), this.#openings.take(place, not))
  }

  #addLoopStop(place: Place, node: Node): void {
    const { following } = place
    if (following?.kind === 'not' && following.contiguity === 'relaxed')
      edge(node, 'proceed', this.#stop(following), this.#openings.take(place, following))
  }

  #stop(not: NotStage): Node {
    const known = this.#stops.get(not)
    if (known !== undefined) return known
    const node = this.#node('stop', not, Infinity)
    this.#stops.set(not, node)
    return node
  }

  #until({ until }: TakeStage | GroupStage): number {
    return until === undefined ? 0 : this.#parts.bit(until)
  }

  #node(kind: Node['kind'], stage: Node['stage'], gap: number): Node {
    const step = kind === 'wait' && stage?.kind === 'take' ? this.#parts.step(stage) : -1
    const node: Node = { index: this.#nodes.length, kind, step, stage, edges: [], gap }
    this.#nodes.push(node)
    return node
  }
}

function edge(source: Node, action: Edge['action'], target: Node, open: Guard): void {
  source.edges.push({ action, source, target, guard: open })
}

/** What a greedy repetition takes, goes no further. */
function guard(sink: Node, take: Guard): void {
  for (const each of sink.edges) each.guard = unless(each.guard, take)
}

function passUntil(node: Node, sink: Node, unguarded: Node, open: Guard, until: number): void {
  edge(node, 'proceed', unguarded, and(open, until, 0))
  edge(node, 'proceed', sink, and(open, 0, until))
}
