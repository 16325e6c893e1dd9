import { createHash } from 'node:crypto'
import type { Cell } from '../../delivery/limits/cell.js'
import { dayOf, nextDay } from '../costs/cost-counters.js'
import { limitsOf, type ModelsConfig } from '../models-config.js'
import {
  dropped,
  larger,
  readBudgetState,
  released,
  reserve,
  type BudgetLimits,
  type BudgetState,
} from './tenant-budget.js'

/** A value that nobody watches. */
export interface ReadableCell extends Cell {
  /** Learns what is stored. @throws errors of the broker */
  read(): Promise<void>
}

export interface BudgetsOptions {
  readonly models: ModelsConfig
  /** What all processes share of a tenant and a day, by a name that a bucket can have. */
  readonly cellOf: (name: string) => ReadableCell
  /** What was spent before, by the name of the job, in billionths. May reject. */
  readonly spentOn: (day: string, tenant: string) => Promise<BudgetState['spent']>
  /** The time that all processes go by, in ms since the Unix epoch. */
  readonly now: () => number
}

export interface BudgetAsk {
  readonly job: string
  readonly attempt: number
  readonly tenant: string
  readonly name: string
  /** What it may cost, in billionths. */
  readonly nanos: number
  readonly demotable: boolean
  /** How long it is kept if nothing more is heard of the call, in ms. Default: 15 minutes, as a call is silent for less. */
  readonly leaseMs?: number
  /** See Reservation. */
  readonly most?: number
}

/** Whose call it was, and in which day it counts. */
export interface BudgetedCall {
  readonly day: string
  readonly tenant: string
  readonly name: string
  readonly job: string
  readonly attempt: number
}

/** What a call may cost is kept for it. */
export interface BudgetHold {
  readonly kind: 'held'
  /** In which it counts, though it ends in another one. */
  readonly day: string
  /** It is over. @param total what jobs of the name have cost by now; undefined: nothing was billed. Never rejects. */
  release(total: number | undefined): Promise<void>
}

export type BudgetVerdict =
  | BudgetHold
  | { readonly kind: 'later'; readonly at: number }
  | { readonly kind: 'soft'; readonly resetAt: number }
  | { readonly kind: 'hard'; readonly resetAt: number }

/** A call is silent for less than this; what a killed process held is free then, or when the job begins again, in ms. */
const LEASE_MS = 15 * 60_000
/** While the rest of a budget is held, in ms. */
const AGAIN_MS = 5_000
/** While there are as many as may be held for: these are calls of batches, which take an hour. */
const MANY_MS = 60_000
/** Tenants that are known here at a time. */
const MOST_TENANTS = 10_000
const NANOS = 1e9

interface KnownBudget {
  readonly cell: ReadableCell
  readonly spent: BudgetState['spent']
}

/** What tenants may spend in a day, all processes together. */
export class Budgets {
  readonly #options: BudgetsOptions
  readonly #known = new Map<string, Promise<KnownBudget>>()

  constructor(options: BudgetsOptions) {
    this.#options = options
  }

  /** @throws errors of the broker */
  async reserve({ tenant, name, ...asked }: BudgetAsk): Promise<BudgetVerdict> {
    const { models, now } = this.#options
    const time = now()
    const day = dayOf(time)
    const limits = inNanos(limitsOf(models, tenant))
    const { job, attempt, nanos, demotable, leaseMs = LEASE_MS, most } = asked
    const asking = { job: keyOf(name, job), attempt, nanos, demotable, now: time, leaseMs, most }
    if (limits === undefined) return { kind: 'held', day, release: () => Promise.resolve() }
    const { cell, spent } = await this.#of(day, tenant)
    const decide = (value: unknown) => reserve(stateOf(value, spent), limits, asking)
    // what is known here may be old: nobody is refused for it
    if (decide(cell.value).kind !== 'held') await cell.read()
    let answer = decide(cell.value)
    await cell.update((value) => {
      answer = decide(value)
      return answer.kind === 'held' ? answer.state : undefined
    })
    if (answer.kind === 'later') return { kind: 'later', at: time + AGAIN_MS }
    if (answer.kind === 'many') return { kind: 'later', at: time + MANY_MS }
    if (answer.kind !== 'held') return { kind: answer.kind, resetAt: nextDay(time) }
    const release = (total: number | undefined) => this.release({ day, tenant, name, job, attempt }, total)
    return { kind: 'held', day, release }
  }

  /** A call is over, whichever process had begun it; see BudgetHold. Never rejects. */
  async release({ day, tenant, name, job, attempt }: BudgetedCall, total: number | undefined): Promise<void> {
    if (inNanos(limitsOf(this.#options.models, tenant)) === undefined) return
    try {
      const { cell, spent } = await this.#of(day, tenant)
      const over = { job: keyOf(name, job), attempt, name, total }
      await cell.update((value) => released(stateOf(value, spent), over))
    } catch {
      // it is free when its time is over, and the next bill of the job tells the sum
    }
  }

  /** A job is over without a call: what is held for one is free. Never rejects. */
  async drop({ day, tenant, name, job }: Omit<BudgetedCall, 'attempt'>): Promise<void> {
    if (inNanos(limitsOf(this.#options.models, tenant)) === undefined) return
    try {
      const { cell, spent } = await this.#of(day, tenant)
      await cell.read() // another process may have put it there
      await cell.update((value) => dropped(stateOf(value, spent), keyOf(name, job)))
    } catch {
      // it is free when its time is over
    }
  }

  #of(day: string, tenant: string): Promise<KnownBudget> {
    const name = `budget.${day}.${createHash('sha256').update(tenant).digest('base64url').slice(0, 22)}`
    let known = this.#known.get(name)
    if (known !== undefined) return known
    known = this.#read(name, day, tenant)
    this.#known.set(name, known)
    // who asks again is not told of the same failure for ever
    known.catch(() => this.#known.delete(name))
    for (const oldest of this.#known.keys()) {
      if (this.#known.size <= MOST_TENANTS) break
      this.#known.delete(oldest)
    }
    return known
  }

  async #read(name: string, day: string, tenant: string): Promise<KnownBudget> {
    const { cellOf, spentOn } = this.#options
    return { cell: cellOf(name), spent: await spentOn(day, tenant) }
  }
}

function stateOf(value: unknown, spent: BudgetState['spent']): BudgetState {
  const state = readBudgetState(value)
  return { ...state, spent: larger(state.spent, spent) }
}

/** Jobs of two names may have one id: those of two contexts. */
function keyOf(name: string, job: string): string {
  return `${name} ${job}`
}

function inNanos({ soft, hard }: { soft?: number | undefined; hard?: number | undefined }): BudgetLimits | undefined {
  if (soft === undefined && hard === undefined) return undefined
  const nanos = (units: number | undefined) => (units === undefined ? undefined : Math.round(units * NANOS))
  return { soft: nanos(soft), hard: nanos(hard) }
}
