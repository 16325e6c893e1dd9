import { createHash } from 'node:crypto'
import type { BreakerRules } from '../../delivery/limits/breaker.js'
import { SharedBreaker } from '../../delivery/limits/shared-breaker.js'
import type { SharedCells } from '../../delivery/limits/shared-cells.js'
import { SharedLimiter } from '../../delivery/limits/shared-limiter.js'
import type { Log } from '../../observe/log.js'
import type { Clock } from '../../time/clock.js'
import { DEFAULT_CONCURRENCY, MOST_AT_START, startingLimit } from '../concurrency-limit.js'
import { classOf, type ModelClass, type ModelsConfig } from '../models-config.js'
import { CallPlaces } from './call-places.js'
import { watchFrozen } from './frozen-class.js'
import { ModelGate, type Later, type RateName } from './model-gate.js'

export interface ModelGatesOptions {
  readonly clock: Clock
  readonly log: Log
  readonly now: () => number
  readonly owner: string
  readonly credential: string
  readonly models: ModelsConfig
  readonly calls: readonly { readonly model: string; readonly maxTokens: number }[]
  readonly cells: SharedCells
}

const MINUTE_MS = 60_000
/** Of a minute, how much there may be at once: a provider may give out by the second what it limits by the minute. */
const BURST = 1 / 12
/** Of overloads, errors of the server, cut answers and silence; not of 429. Times in ms. */
const BREAKER: BreakerRules = { failures: 0.5, of: 20, within: 30_000, open: 30_000, most: 300_000, probes: 1 }
/** Where nothing is known of a class. */
const UNLIMITED = Number.POSITIVE_INFINITY
const DEFAULT_TOKENS = 1_024

interface OpenGate {
  readonly gate: ModelGate
  stop(): Promise<void>
}

/** The gates of all classes of models. A model of no class has one of its own. */
export class ModelGates {
  readonly #options: ModelGatesOptions
  readonly #gates = new Map<string, Promise<OpenGate>>()
  readonly #open: OpenGate[] = []
  readonly #listeners = new Set<() => void>()

  private constructor(options: ModelGatesOptions) {
    this.#options = options
  }

  /** @throws errors of the broker */
  static async open(options: ModelGatesOptions): Promise<ModelGates> {
    const gates = new ModelGates(options)
    for (const { model } of options.calls) await gates.of(model)
    return gates
  }

  /** Before anything was called: as many as there are at first. */
  get places(): number {
    if (this.#open.length === 0) return MOST_AT_START
    // where there are several, one of each may wait for its class
    const waits = this.#open.length > 1 ? 1 : 0
    return this.#open.reduce((sum, { gate }) => sum + gate.places + (gate.closed === undefined ? waits : 0), 0)
  }

  get closed(): readonly Later[] {
    return this.#open.flatMap(({ gate }) => gate.closed ?? [])
  }

  /** @throws MODEL_CLASS_UNKNOWN, errors of the broker */
  async of(model: string): Promise<ModelGate> {
    const { models } = this.#options
    const name = classOf(models, model)
    const rules = name === undefined ? undefined : models.classes?.[name]
    const key = keyOf(name ?? model, name === undefined, this.#options.credential)
    let open = this.#gates.get(key)
    if (open === undefined) {
      open = this.#make(name ?? model, key, rules)
      this.#gates.set(key, open)
      // who asks again is not told of the same failure for ever
      open.catch(() => this.#gates.delete(key))
    }
    return (await open).gate
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }

  /** Gives back what others may have. */
  async stop(): Promise<void> {
    this.#listeners.clear()
    await Promise.all(this.#open.map((one) => one.stop()))
  }

  async #make(name: string, key: string, rules: ModelClass | undefined): Promise<OpenGate> {
    const { clock, now, cells, log, owner } = this.#options
    const shared = { clock, now, log, owner }
    const breakerCell = await cells.cell(`breaker.model.${key}`)
    const breaker = new SharedBreaker({ ...shared, dependency: name, rules: BREAKER, cell: breakerCell })
    const frozen = await cells.cell(`frozen.model.${key}`)
    const rates: Partial<Record<RateName, SharedLimiter>> = {}
    for (const [rate, limit] of Object.entries(rules?.perMinute ?? {}) as [RateName, number | undefined][]) {
      if (limit === undefined) continue
      const bucket = { limit, per: MINUTE_MS, burst: Math.max(1, Math.floor(limit * BURST)) }
      rates[rate] = new SharedLimiter({
        clock,
        now,
        rules: bucket,
        cell: await cells.cell(`rate.model.${key}.${rate}`),
      })
    }
    const places = this.#places(name, rules)
    const others = (): boolean => this.#open.length > 1
    const gate = new ModelGate({ name, clock, now, breaker, frozen, rates, places, others })
    const tell = (): void => {
      for (const listener of this.#listeners) listener()
    }
    const stops = [breaker.onChange(tell), places.onChange(tell), watchFrozen(frozen, clock, now, tell)]
    const stop = async (): Promise<void> => {
      for (const stopOne of stops) stopOne()
      await Promise.all([breaker.stop(), ...Object.values(rates).map((limiter) => limiter.stop())])
    }
    const open = { gate, stop }
    this.#open.push(open)
    return open
  }

  #places(name: string, rules: ModelClass | undefined): CallPlaces {
    const { clock, models, calls } = this.#options
    const own = calls.filter(({ model }) => (classOf(models, model) ?? model) === name)
    const longest = Math.max(1, ...own.map(({ maxTokens }) => maxTokens))
    const tokens = rules?.perMinute.outputTokens ?? UNLIMITED
    const start = startingLimit(tokens, own.length === 0 ? DEFAULT_TOKENS : longest, clock.monotonic())
    return new CallPlaces(clock, { ...DEFAULT_CONCURRENCY, ...rules?.concurrency }, start)
  }
}

/** Under which processes share it: limits are those of a credential. */
function keyOf(name: string, model: boolean, credential: string): string {
  const plain = name.replaceAll(/[^A-Za-z0-9_-]/g, '_')
  const hash = createHash('sha256').update(credential).update('\0').update(name).digest('base64url').slice(0, 16)
  return `${model ? 'of' : 'class'}.${plain}.${hash}`
}
