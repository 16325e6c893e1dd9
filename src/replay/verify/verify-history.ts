// Verifying one unit: a history that was written down once is run again and again, and every run has to give the same.
//
// Invariants (tests cite them):
//   V1  A processor whose outputs or state depend on anything but its log and journal is reported, if that shows in the
//       range.
//   V2  One that does not is never reported.
import type { SimulationOptions } from '../../kernel/simulation/simulation-options.js'
import { SimulatedUnit } from '../../kernel/simulation/simulated-unit.js'
import { crashesAfter, planCrashes, type CrashPlan, type PlanLimits } from './crash-plan.js'
import type { Difference, Different } from './difference.js'
import type { Finding } from './finding.js'
import { Comparison, commitAndCompare, follow, giveAndCompare, stoppedAt } from './follow.js'
import { asFault, type History } from './history.js'
import { inspected } from './inspected.js'
import type { UnitInput } from './record-history.js'
import { differentState, stateOf } from './unit-state.js'

/** How far it is. */
export interface TrialProgress {
  readonly points: number
  /** From 0 to 1. */
  readonly fraction: number
}

export interface Verdict {
  readonly plan: CrashPlan
  /** Places at which it was crashed, each by itself. */
  readonly points: number
  /** Of these, so many were run to the end of the range. */
  readonly toEnd: number
  /** Crashes one after another in one run. */
  readonly chained: number
  readonly finding: Finding | undefined
}

/** Items that are given after each recovery. */
const AHEAD = 8
/** Items between two commits after a crash: one after the other, in turn. */
const FORK_COMMITS = [1, 3, AHEAD]
/** Crashes after which the rest of the range is run. */
const TO_END = 8
/** A snapshot is taken when a recovery would take so many turns, and more than reading the snapshot takes. */
const SNAPSHOT_AFTER = 64
/** A state is compared where that takes less than so many turns, else now and then. */
const STATE_WORK = 32

/** Share of running it once more in the whole, for the progress. */
const FIRST = 0.05

/**
 * Runs a history once more, then crashed at every place of the plan, then crashed again and again. Ends with the first
 * difference.
 */
export function* verifyHistory(
  input: UnitInput,
  history: History,
  limits: PlanLimits,
): Generator<TrialProgress, Verdict, void> {
  return yield* new Trials(input, history, limits).run()
}

class Trials {
  readonly #history: History
  readonly #options: SimulationOptions
  readonly #limits: PlanLimits
  readonly #costs: number[] = []
  #plan: CrashPlan = { every: 1, points: 0, of: 0, work: 0 }
  #points = 0
  #toEnd = 0
  #chained = 0
  #done = 0

  constructor({ processor, registry, partition, messages }: UnitInput, history: History, limits: PlanLimits) {
    this.#history = history
    this.#options = { processor, registry, partition, log: messages, packed: false }
    this.#limits = limits
  }

  *run(): Generator<TrialProgress, Verdict, void> {
    const repeated = yield* this.#repeat()
    this.#plan = planCrashes(this.#costs, AHEAD, this.#limits)
    const finding = repeated ?? (yield* this.#crash()) ?? (yield* this.#chain())
    return { plan: this.#plan, points: this.#points, toEnd: this.#toEnd, chained: this.#chained, finding }
  }

  /** The same once more, with a commit after each item, as a chain of crashes has it. */
  *#repeat(): Generator<TrialProgress, Finding | undefined, void> {
    let notPlain: Different | undefined
    const processor = inspected(this.#options.processor, (of, why) => (notPlain ??= { kind: 'not-plain', of, why }))
    const unit = new SimulatedUnit({ ...this.#options, processor })
    try {
      const comparison = new Comparison(this.#history, 0)
      for (let at = 0; at < this.#history.length; at++) {
        const difference = this.#step(unit, comparison, at)
        if (difference !== undefined) return { trial: { kind: 'repeat' }, difference }
        if (notPlain !== undefined)
          return {
            trial: { kind: 'repeat' },
            difference: { item: at, sequence: this.#history.sequence(at), what: notPlain },
          }
        this.#costs.push(unit.recoveryCost)
        yield* this.#work(1)
      }
      return undefined
    } finally {
      unit.stop()
    }
  }

  /** One run without a crash; at each place of the plan, what would come of one. */
  *#crash(): Generator<TrialProgress, Finding | undefined, void> {
    const trunk = new SimulatedUnit(this.#options)
    try {
      const comparison = new Comparison(this.#history, 0)
      for (let at = 0; at < this.#history.length; at++) {
        // it was equal without crashes: what a crashed one leaves behind is at fault
        const difference = this.#step(trunk, comparison, at)
        if (difference !== undefined) return { trial: { kind: 'crash', after: at - 1 }, difference }
        yield* this.#work(1)
        if (!crashesAfter(this.#plan, at)) continue
        const found = this.#crashAfter(trunk, at, this.#reach(at))
        this.#points += 1
        if (found !== undefined) return { trial: { kind: 'crash', after: at }, difference: found }
        yield* this.#work((this.#costs[at] ?? 0) + AHEAD)
      }
      return undefined
    } finally {
      trunk.stop()
    }
  }

  /** Up to where it is run after a crash. */
  #reach(at: number): number {
    const { length } = this.#history
    const { points } = this.#plan
    const whole = this.#points % Math.max(1, Math.ceil(points / TO_END)) === 0
    if (whole) this.#toEnd += 1
    return whole ? length : Math.min(length, at + 1 + AHEAD)
  }

  #crashAfter(trunk: SimulatedUnit, at: number, to: number): Difference | undefined {
    let fork: SimulatedUnit | undefined
    try {
      fork = trunk.fork()
      const what = this.#compareState(trunk, fork, at)
      if (what !== undefined) return { item: at, sequence: this.#history.sequence(at), what }
      return follow(fork, this.#history, at + 1, to, FORK_COMMITS[this.#points % FORK_COMMITS.length])
    } catch (error) {
      return stoppedAt(this.#history, at, asFault(error))
    } finally {
      fork?.stop()
    }
  }

  #compareState(trunk: SimulatedUnit, fork: SimulatedUnit, at: number): Different | undefined {
    const { memory } = this.#options.processor
    const now = memory === 'replay' ? 1 : Math.ceil((this.#costs[at] ?? 0) / STATE_WORK)
    if (memory === 'none' || this.#points % Math.max(1, now) !== 0) return undefined
    return differentState(stateOf(trunk, memory), stateOf(fork, memory))
  }

  /** One run that is crashed at every place, now and then with items that were not committed, which are given again. */
  *#chain(): Generator<TrialProgress, Finding | undefined, void> {
    const history = this.#history
    let unit = new SimulatedUnit(this.#options)
    try {
      const comparison = new Comparison(history, 0)
      let [committed, furthest] = [0, 0]
      for (let at = 0; at < history.length;) {
        const wrong = giveAndCompare(unit, history, at++)
        if (wrong !== undefined) return yield* this.#alone(wrong)
        const isNew = at > furthest
        furthest = Math.max(furthest, at)
        // of three places, one is crashed before its commit: then it is given again
        if (!isNew || at % 3 !== 0 || at === history.length) {
          const different = commitAndCompare(unit, history, comparison, at, this.#wantsSnapshot(unit))
          if (different !== undefined) return yield* this.#alone(different)
          committed = at
        }
        yield* this.#work(1)
        if (!isNew || !crashesAfter(this.#plan, at - 1)) continue
        this.#chained += 1
        unit = unit.crash()
        at = committed
        yield* this.#work(this.#costs[at - 1] ?? 0)
      }
      return undefined
    } catch (error) {
      const item = Math.max(0, Math.min(this.#history.length - 1, this.#chained * this.#plan.every - 1))
      return yield* this.#alone(stoppedAt(history, item, asFault(error)))
    } finally {
      unit.stop()
    }
  }

  /** Looks for one crash that is enough for a difference that a chain of crashes has shown: the last such. */
  *#alone(difference: Difference): Generator<TrialProgress, Finding, void> {
    const { item } = difference
    const trunk = new SimulatedUnit(this.#options)
    let last: Finding | undefined
    try {
      const comparison = new Comparison(this.#history, 0)
      for (let at = 0; at < item; at++) {
        if (this.#step(trunk, comparison, at) !== undefined) break
        yield* this.#work(1)
        if (!isTried(item - at)) continue
        const found = this.#crashAfter(trunk, at, item + 1)
        if (found !== undefined) last = { trial: { kind: 'crash', after: at }, difference: found }
      }
    } finally {
      trunk.stop()
    }
    return last ?? { trial: { kind: 'chain' }, difference }
  }

  #step(unit: SimulatedUnit, comparison: Comparison, at: number): Difference | undefined {
    const wrong = giveAndCompare(unit, this.#history, at)
    return wrong ?? commitAndCompare(unit, this.#history, comparison, at + 1, this.#wantsSnapshot(unit))
  }

  #wantsSnapshot({ record, recoveryCost }: SimulatedUnit): boolean {
    const replay = record.turnsToReplay
    return replay >= SNAPSHOT_AFTER && replay >= recoveryCost - replay
  }

  *#work(turns: number): Generator<TrialProgress, void, void> {
    this.#done += turns
    const { length } = this.#history
    const [first, rest] = [Math.min(1, this.#done / length), (this.#done - length) / (2 * length + 2 * this.#plan.work)]
    // how much is to be done is known once it was run again
    const fraction = rest < 0 ? FIRST * first : FIRST + (1 - FIRST) * Math.min(1, rest)
    yield { points: this.#points, fraction }
  }
}

/** Distances from a difference at which a single crash is tried: each near it, ever fewer further away. */
function isTried(distance: number): boolean {
  return distance <= 64 || (distance & (distance - 1)) === 0
}
