import type { StepRequest } from '../../kernel/step-request.js'
import type { StepEnvironment } from '../../kernel/step-environment.js'
import { StepRunner } from '../../kernel/step-runner.js'
import type { Clock } from '../../time/clock.js'
import type { StepResult } from './record-history.js'

export interface StepSurroundings {
  readonly clock: Clock
  readonly signal: AbortSignal
  /** Undefined: without a server. */
  readonly environment?: StepEnvironment | undefined
}

/** Runs steps to their ends as the kernel does, with attempts and time limits. @returns results in the order of ending */
export function runSteps(
  { clock, signal, environment }: StepSurroundings,
  steps: readonly StepRequest[],
): Promise<StepResult[]> {
  return new Promise((resolve, reject) => {
    const results: StepResult[] = []
    const runner = new StepRunner({
      clock,
      environment,
      onSettled: (id, outcome) => {
        results.push({ id, outcome })
        if (results.length === steps.length) end(() => resolve(results))
      },
    })
    const onAbort = (): void => end(() => reject(signal.reason as Error))
    const end = (settle: () => void): void => {
      signal.removeEventListener('abort', onAbort)
      runner.stop()
      settle()
    }
    signal.addEventListener('abort', onAbort, { once: true })
    if (signal.aborted) return onAbort()
    for (const step of steps) runner.run(step)
  })
}
