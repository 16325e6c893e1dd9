import type { Clock } from '../time/clock.js'
import { systemChance } from '../time/system-chance.js'
import type { StepOutcome } from './decision.js'
import type { StepRequest } from './step-request.js'
import type { StepEnvironment } from './step-environment.js'
import { stepFailed, stepSucceeded } from './step-outcome.js'

export interface StepRunnerOptions {
  readonly clock: Clock
  /** Spreads repeated attempts, from 0 to below 1. Default: the machine’s chance. */
  readonly chance?: () => number
  /** Steps that run at once, beside those that wait for what may never happen. Default 64. */
  readonly concurrency?: number
  /** Where they run; undefined: without a server. */
  readonly environment?: StepEnvironment | undefined
  /** Called once for each step that was run to its end, not for one that was dropped. */
  readonly onSettled: (id: string, outcome: StepOutcome) => void
}

const FIRST_WAIT_MS = 100
const LONGEST_WAIT_MS = 10_000

/**
 * Runs the work that a pipeline asked for outside the log: each attempt under a time limit, with growing waits between
 * them (full jitter), and tells how it ended. Work that ignores its signal is left behind; its result counts no more.
 */
export class StepRunner {
  readonly #options: StepRunnerOptions
  #stopped = false
  readonly #waiting: StepRequest[] = []
  readonly #running = new Map<string, AbortController>()
  readonly #lasting = new Set<string>()

  constructor(options: StepRunnerOptions) {
    this.#options = options
  }

  /** Steps that have not ended, but for those that wait for what may never happen. */
  get pending(): number {
    return this.#waiting.length + this.#running.size - this.#lasting.size
  }

  /** Runs a step, until it ends or its signal says that nobody waits for it any more. */
  run(request: StepRequest): void {
    if (this.#stopped || request.signal?.aborted === true) return
    request.signal?.addEventListener('abort', () => this.drop(request.id), { once: true })
    if (request.lasting === true) {
      // what may never happen takes nobody's place
      this.#lasting.add(request.id)
      return this.#begin(request)
    }
    this.#waiting.push(request)
    this.#next()
  }

  /** Nobody waits for this one any more: it is aborted, and its result counts no more. */
  drop(id: string): void {
    this.#lasting.delete(id)
    const at = this.#waiting.findIndex((request) => request.id === id)
    if (at >= 0) this.#waiting.splice(at, 1)
    this.#running.get(id)?.abort(new Error('the step is no longer waited for'))
    if (this.#running.delete(id)) this.#next()
  }

  stop(): void {
    this.#stopped = true
    this.#waiting.length = 0
    const running = [...this.#running.values()]
    this.#running.clear() // none of them counts any more
    this.#lasting.clear()
    for (const own of running) own.abort(new Error('the processor stops'))
  }

  #next(): void {
    const { concurrency = 64 } = this.#options
    while (this.#running.size - this.#lasting.size < concurrency && !this.#stopped) {
      const request = this.#waiting.shift()
      if (request === undefined) return
      this.#begin(request)
    }
  }

  #begin(request: StepRequest): void {
    const own = new AbortController()
    this.#running.set(request.id, own)
    void this.#attempts(request, own.signal).then((outcome) => {
      if (this.#running.get(request.id) !== own) return
      this.#running.delete(request.id)
      this.#lasting.delete(request.id)
      this.#options.onSettled(request.id, outcome)
      this.#next()
    })
  }

  async #attempts(request: StepRequest, signal: AbortSignal): Promise<StepOutcome> {
    const { clock, chance = systemChance } = this.#options
    for (let attempt = 1; ; attempt++) {
      try {
        return stepSucceeded(request, await this.#once(request, signal))
      } catch (error) {
        if (attempt >= request.attempts || signal.aborted) return stepFailed(error)
        const wait = chance() * Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** attempt)
        await clock.sleep(wait, signal).catch(() => undefined)
        if (signal.aborted) return stepFailed(error) // what nobody waits for is not begun once more
      }
    }
  }

  #once(request: StepRequest, outer: AbortSignal): Promise<unknown> {
    const limit = new AbortController()
    return new Promise((resolve, reject) => {
      const end = (error: Error): void => {
        limit.abort(error)
        reject(error)
      }
      const cancel = this.#options.clock.after(request.timeoutMs, () => {
        const error = new Error(`step ${request.name} took longer than ${request.timeoutMs} ms`)
        error.name = 'TimeoutError'
        outer.removeEventListener('abort', onAbort)
        end(error)
      })
      const onAbort = (): void => {
        cancel()
        end(outer.reason as Error)
      }
      outer.addEventListener('abort', onAbort, { once: true })
      const run = async (): Promise<unknown> => request.run(request.id, limit.signal, this.#options.environment)
      run()
        .then(resolve, reject)
        .finally(() => {
          cancel()
          outer.removeEventListener('abort', onAbort)
        })
    })
  }
}
