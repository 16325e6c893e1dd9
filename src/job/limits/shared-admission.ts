// SharedAdmission
//
// Says which calls are made, and when: breaker, budget of the tenant, rates, places, in this order; what is asked first costs
// nothing, and what is taken last is what nobody may hold while he waits.
//
// Invariants (tests cite them):
//   AD1  What a call may cost is held before it, and what it has cost is counted after it, once for each job and attempt.
//   AD2  What is refused, put off or given up has taken nothing from anybody.
import type { Connection } from '../../broker/connection.js'
import { SharedCells } from '../../delivery/limits/shared-cells.js'
import { messageOf } from '../../error/millrace-error.js'
import type { Log } from '../../observe/log.js'
import type { Clock } from '../../time/clock.js'
import {
  ownJob,
  type Admission,
  type AdmissionVerdict,
  type AskedCall,
  type BatchedCalls,
  type CallBeside,
  type Permit,
} from '../admission.js'
import { CostCounters, dayOf, readCosts } from '../costs/cost-counters.js'
import { NO_COST, tallyOf, type CostTally } from '../costs/cost-tally.js'
import { dearestUsages } from '../costs/dearest-usage.js'
import { NO_MODELS, requireModel, type ModelsConfig } from '../models-config.js'
import { limitedInputOf, type Usage } from '../usage.js'
import { batchedCalls } from './batched-calls.js'
import { Budgets, type BudgetHold } from './budgets.js'
import type { Later, PassedCall } from './model-gate.js'
import { ModelGates } from './model-gates.js'

export interface SharedAdmissionOptions {
  readonly connection: Connection
  readonly clock: Clock
  readonly log: Log
  /** The time that all processes go by, in ms since the Unix epoch. */
  readonly now: () => number
  /** From 0 to below 1. */
  readonly chance: () => number
  readonly replicas: number
  /** Tells this process from others. */
  readonly owner: string
  /** Whose limits they are: the key, or anything that tells one from another. It is stored as a hash. */
  readonly credential: string
  /** undefined: no limits, no prices, no budgets. */
  readonly models: ModelsConfig | undefined
  /** What is going to be called: how many calls there are at first follows from it. */
  readonly calls: readonly { readonly model: string; readonly maxTokens: number }[]
}

/** How long a budget is known after its last change, in s: a day, and one for calls that end in the next. */
const BUDGET_TTL_S = 2 * 24 * 60 * 60

/** Whose attempt it is that something beside its bill is counted of. */

export class SharedAdmission implements Admission {
  readonly #models: ModelsConfig
  readonly #cells: SharedCells
  readonly #gates: ModelGates
  readonly #counters: CostCounters
  readonly #budgets: Budgets
  readonly batched: BatchedCalls
  readonly #now: () => number
  readonly #log: Log

  private constructor(
    { models = NO_MODELS, now, log }: SharedAdmissionOptions,
    parts: { cells: SharedCells; gates: ModelGates; counters: CostCounters; budgets: Budgets },
  ) {
    this.#models = models
    this.#now = now
    this.#log = log
    this.#cells = parts.cells
    this.#gates = parts.gates
    this.#counters = parts.counters
    this.#budgets = parts.budgets
    this.batched = batchedCalls({ ...parts, models, now })
  }

  /** Makes what processes share, where it is not there. @throws errors of the broker */
  static async open(options: SharedAdmissionOptions): Promise<SharedAdmission> {
    const { connection, clock, log, now, models = NO_MODELS } = options
    if (options.models === undefined)
      log.info({}, 'there is no models.yaml: calls of models have no limits, and nobody knows what they cost')
    const counters = await CostCounters.open(options)
    const cells = await SharedCells.open(options)
    const spentOn = async (day: string, tenant: string) => {
      const costs = await readCosts(connection, clock, { day, tenant })
      return Object.fromEntries(costs.map(({ name, tally }) => [name, tally.nanos]))
    }
    const budgets = new Budgets({ models, cellOf: await cells.many(BUDGET_TTL_S), spentOn, now })
    const gates = await ModelGates.open({ ...options, models, cells })
    return new SharedAdmission(options, { cells, gates, counters, budgets })
  }

  get places(): number {
    return this.#gates.places
  }

  onChange(listener: () => void): () => void {
    return this.#gates.onChange(listener)
  }

  async admit(call: AskedCall, signal: AbortSignal): Promise<AdmissionVerdict> {
    requireModel(this.#models, call.model)
    const gate = await this.#gates.of(call.model)
    const { closed } = gate
    if (closed !== undefined) return closed
    const hold = await this.#hold(call)
    if (hold.kind === 'later')
      return { kind: 'later', at: hold.at, why: `calls that run may use up the budget of ${call.tenant}` }
    if (hold.kind === 'soft') return { kind: 'demoted', resetAt: hold.resetAt }
    if (hold.kind === 'hard') return { kind: 'rejected', resetAt: hold.resetAt }
    try {
      const passed = await gate.pass(call, signal)
      if (passed.kind === 'passed') return { kind: 'admitted', permit: this.#permit(call, hold, passed) }
      await hold.release(undefined)
      return passed
    } catch (error) {
      await hold.release(undefined)
      throw error
    }
  }

  spared(call: CallBeside, tokens: number): Promise<void> {
    return this.#countBeside(call, { ...NO_COST, hits: 1, spared: tokens }, '')
  }

  unknown(call: CallBeside, tokens: number): Promise<void> {
    return this.#countBeside(call, { ...NO_COST, unknown: 1, unknownTokens: tokens }, ':unknown')
  }

  died({ name, tenant, ...own }: Omit<CallBeside, 'attempt'>): Promise<void> {
    return this.#budgets.drop({ day: dayOf(this.#now()), tenant, name, job: ownJob(own) })
  }

  async #countBeside(call: CallBeside, tally: CostTally, what: string): Promise<void> {
    const { name, attempt, tenant } = call
    try {
      await this.#counters.count({ day: dayOf(this.#now()), tenant, name }, ownJob(call), attempt, tally, what)
    } catch (error) {
      this.#log.debug({ job: call.job, detail: messageOf(error) }, 'what is no bill of a call is not counted')
    }
  }

  /** Why calls of a class are not begun for now, by any process; empty: nothing is in the way. */
  get closed(): readonly Later[] {
    return this.#gates.closed
  }

  async stop(): Promise<void> {
    await this.#gates.stop()
    this.#cells.stop()
  }

  #hold(call: AskedCall) {
    const { attempt, tenant, name, lane, model, inputTokens, outputTokens, cacheLives = [] } = call
    const ways = dearestUsages(inputTokens, outputTokens, cacheLives)
    const nanos = Math.max(...ways.map((usage) => tallyOf(usage, model, model, this.#models.prices).nanos))
    return this.#budgets.reserve({ job: ownJob(call), attempt, tenant, name, nanos, demotable: lane !== 'batch' })
  }

  #permit(call: AskedCall, hold: BudgetHold, passed: PassedCall): Permit {
    const { name, attempt, tenant, model } = call
    let used: Usage | undefined
    return {
      settle: async (billed) => {
        used = billed.usage
        const tally = tallyOf(billed.usage, billed.model, model, this.#models.prices)
        const all = await this.#counters.count({ day: hold.day, tenant, name }, ownJob(call), attempt, tally)
        await hold.release(all.nanos)
        return tally.unpriced > 0 ? undefined : tally.nanos
      },
      end: async (end) => {
        const tokens = used === undefined ? undefined : { inputTokens: limitedInputOf(used), outputTokens: used.output }
        // the place and the breaker do not wait for the broker
        await Promise.all([passed.left(end, tokens), used === undefined ? hold.release(undefined) : undefined])
      },
    }
  }
}
