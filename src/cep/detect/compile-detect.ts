import type { StoredEvent } from '../../event/event.js'
import { parseDuration } from '../../time/duration.js'
import type { Executable } from '../engine/executor.js'
import type { BoundPolicy } from '../pattern/pattern.js'
import { auto } from './auto.js'
import { checkNumber, checkThat } from './check-options.js'
import { decisionOf, type Decision, type DecisionOptions } from './decision.js'
import { DetectExecutor } from './detect-executor.js'
import type { DetectState } from './detect-state.js'
import type { DetectorPlan, Direction } from './detector.js'

export interface DetectBounds {
  /** Keys with a detector. Default 1,000 with `auto`, else 100,000. */
  readonly keys: number
  /** What gives way there. Default `drop-oldest`: the key that was heard of longest ago. */
  readonly policy: BoundPolicy
  /** Events that wait for late ones, with `lateness`; the oldest are let through before their time. Default 100,000. */
  readonly waiting: number
  /** Findings that one event or time advance may bring; the rest are dropped. Default 1,000,000. */
  readonly matchesPerAdvance: number
}

/** What an event says: a number, or for detectors of several dimensions an array; undefined where it says nothing. */
export type Reading = number | undefined | readonly (number | undefined)[]

export interface DetectOptions {
  /** Types of the events that count; none named: all that come. */
  readonly events?: readonly string[]
  /** Only events that satisfy it count. What it throws counts as an evaluation error, and the event does not. */
  readonly where?: (event: StoredEvent, key: string) => boolean
  /**
   * The value of an event. What is no finite number is not scored, nor learnt from; it is counted as `unscored`. What it throws
   * counts as an evaluation error. Not needed where the detector reads none.
   */
  readonly value?: (event: StoredEvent) => Reading
  /** Default `auto()`. */
  readonly detector?: DetectorPlan | DetectorPlan<readonly number[]>
  readonly decision?: DecisionOptions
  /** Event time without an event after which a key is forgotten: milliseconds, or a text such as `1d`. Default one day. */
  readonly idle?: number | string
  /** How far behind the newest event another may be and still take its place in order. Default 0. */
  readonly lateness?: number | string
  /** Without lateness: how far behind an event may be and still be taken, at the time reached. Default 0. */
  readonly grace?: number | string
  readonly bounds?: Partial<DetectBounds>
}

/** `values` of a match. */
export interface Detection {
  /** null: there was no event, and that is the finding. */
  readonly value: number | readonly number[] | null
  readonly score: number
  readonly expected: number | null
  readonly lower: number | null
  readonly upper: number | null
  readonly direction: Direction
  /** Name of the detector. */
  readonly detector: string
}

/** What an executor works by. */
export interface DetectPlan {
  readonly types: ReadonlySet<string>
  readonly where: ((event: StoredEvent, key: string) => boolean) | undefined
  readonly value: (event: StoredEvent) => Reading
  readonly detector: DetectorPlan<never>
  readonly decision: Decision
  readonly idle: number
  readonly limits: DetectBounds
}

const DAY = 86_400_000

/**
 * An anomaly detector per key. A match is an alarm: its only stage is `event`, its `values` are a `Detection`. Of missing heartbeats the
 * event is the last one there was, and the time when the next was due.
 * @throws DETECTOR_INVALID, DURATION_INVALID
 */
export function compileDetect(options: DetectOptions): Executable {
  const detector = (options.detector ?? auto()) as DetectorPlan<never>
  const name = 'detect'
  checkThat(options.value !== undefined || detector.dimensions === 0, name, `${detector.name} needs a value`)
  const limits: DetectBounds = {
    keys: detector.name === 'auto' ? 1000 : 100_000,
    policy: 'drop-oldest',
    waiting: 100_000,
    matchesPerAdvance: 1_000_000,
    ...options.bounds,
  }
  for (const key of ['keys', 'waiting', 'matchesPerAdvance'] as const)
    checkNumber(name, key, limits[key], { min: 1, whole: true })
  checkThat(['drop-oldest', 'drop-newest', 'fail'].includes(limits.policy), name, `there is no policy ${limits.policy}`)
  const idle = checkNumber(name, 'idle', parseDuration(options.idle ?? DAY), { min: 1 })
  const decision = decisionOf(options.decision ?? {}, detector.warmUp)
  const plan: DetectPlan = {
    types: new Set(options.events),
    where: options.where,
    value: options.value ?? (() => undefined),
    detector,
    decision,
    idle: Math.max(idle, detector.patience ?? 0),
    limits,
  }
  const lateness = parseDuration(options.lateness ?? 0)
  return {
    signature: JSON.stringify([name, detector.signature, decision, [...plan.types], plan.idle]),
    lateness,
    grace: parseDuration(options.grace ?? 0),
    bounds: { waiting: limits.waiting, matchesPerAdvance: limits.matchesPerAdvance },
    // what one of all keys makes of a value depends on the others
    judges: detector.scope === 'key',
    start: (out, state, trace) => new DetectExecutor(plan, out, state as DetectState | undefined, trace),
  }
}
