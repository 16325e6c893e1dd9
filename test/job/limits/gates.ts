// Gates of one class of models, as processes have them: what they share is in this process, and time stands still until it is moved.
import { SharedBreaker } from '../../../src/delivery/limits/shared-breaker.ts'
import { SharedLimiter } from '../../../src/delivery/limits/shared-limiter.ts'
import type { AskedCall, CallEnd } from '../../../src/job/admission.ts'
import { classifyFailure, type FailureFacts } from '../../../src/job/classify-failure.ts'
import { DEFAULT_CONCURRENCY, startingLimit } from '../../../src/job/concurrency-limit.ts'
import { CallPlaces } from '../../../src/job/limits/call-places.ts'
import { ModelGate, type PassedCall, type RateName } from '../../../src/job/limits/model-gate.ts'
import { silentLog } from '../../../src/observe/log.ts'
import { MemoryCells } from '../../delivery/limits/memory-cell.ts'
import { settled, VirtualClock } from '../../support/virtual-clock.ts'

export const NEVER = new AbortController().signal

export interface GatesOptions {
  readonly perMinute?: Partial<Record<RateName, number>>
  readonly burst?: number
  /** Calls at a time, of each. */
  readonly most?: number
}

export function gatesOf(many: number, { perMinute = {}, burst = 1, most = 100 }: GatesOptions = {}) {
  const clock = new VirtualClock(1_000_000)
  const now = (): number => clock.now()
  const cells = new Map<string, MemoryCells>()
  const cell = (name: string) => {
    let found = cells.get(name)
    if (found === undefined) cells.set(name, (found = new MemoryCells()))
    return found.cell()
  }
  const breakerRules = { failures: 0.5, of: 4, within: 30_000, open: 30_000, most: 60_000, probes: 1 }
  const gates = Array.from({ length: many }, (_, owner) => {
    const rates = Object.fromEntries(
      Object.entries(perMinute).map(([rate, limit]) => {
        const rules = { limit, per: 60_000, burst: Math.max(1, burst) }
        return [rate, new SharedLimiter({ rules, cell: cell(rate), clock, now })]
      }),
    )
    const shared = { dependency: 'm', clock, now, log: silentLog, owner: `o${owner}` }
    const breaker = new SharedBreaker({ ...shared, rules: breakerRules, cell: cell('breaker') })
    const start = { ...startingLimit(Number.POSITIVE_INFINITY, 1, 0), limit: most }
    const places = new CallPlaces(clock, { ...DEFAULT_CONCURRENCY, most }, start)
    return new ModelGate({ name: 'm', clock, now, breaker, frozen: cell('frozen'), rates, places })
  })
  return { clock, gates }
}

/** Time passes while others answer. */
export async function pass(clock: VirtualClock, ms: number, step = 5): Promise<void> {
  for (let at = 0; at < ms; at += step) {
    await clock.pass(step)
    for (let turn = 0; turn < 6; turn++) await settled()
  }
}

let count = 0

export function callOf(more: Partial<AskedCall> = {}): AskedCall {
  const call = { name: 'triage', lane: 'standard', attempt: 1, tenant: 't', model: 'm' } as const
  return { ...call, inputTokens: 100, outputTokens: 100, repeats: false, context: 'SHOP', job: `j${count++}`, ...more }
}

export const ANSWERED: CallEnd = { kind: 'answered', rates: {} }

export function failed(facts: FailureFacts, more: Partial<Extract<CallEnd, { kind: 'failed' }>> = {}): CallEnd {
  return { kind: 'failed', failure: classifyFailure(facts), frozenUntil: undefined, rates: {}, ...more }
}

/** A call that passed. */
export async function passed(gate: ModelGate, more: Partial<AskedCall> = {}): Promise<PassedCall> {
  const answer = await gate.pass(callOf(more), NEVER)
  if (answer.kind !== 'passed') throw new Error(answer.why)
  return answer
}
