import { streamTimeOf } from '../broker/stream-time.js'
import type { Decision } from './decision.js'
import { IdleTicks } from './idle-ticks.js'
import type { ProcessorOptions } from './processor-options.js'
import type { Logic } from './processor.js'
import { stepEnvironment } from './step-environment.js'
import { StepRunner } from './step-runner.js'

export interface DecisionHost {
  /** Whether decisions may be taken now: recovered, and everything that was stored in part is done again. */
  readonly open: () => boolean
  /** Whether no message waits. */
  readonly idle: () => boolean
  readonly decide: (decision: Decision) => void
}

/** Where decisions come from: time that passes while no event comes, and steps that end. */
export class DecisionSources {
  readonly #logic: Logic
  readonly #host: DecisionHost
  readonly #steps: StepRunner
  readonly #ticks: IdleTicks
  readonly #unfollow: () => void

  /** @param input stream whose clock is that of the events */
  constructor(
    { connection, clock }: Pick<ProcessorOptions, 'connection' | 'clock'>,
    input: string,
    logic: Logic,
    host: DecisionHost,
  ) {
    this.#logic = logic
    this.#host = host
    this.#steps = new StepRunner({
      clock,
      environment: stepEnvironment(connection, clock),
      onSettled: (id, outcome) => (host.open() ? host.decide({ kind: 'step', id, outcome }) : undefined),
    })
    const time = streamTimeOf(connection, clock, input)
    this.#ticks = new IdleTicks(clock, {
      // no timer fires while a step is open whose result may stop it
      idle: () => time.known && host.open() && host.idle() && this.#steps.pending === 0,
      now: () => time.now(),
      due: () => logic.due ?? Number.POSITIVE_INFINITY,
      tick: (at) => host.decide({ kind: 'tick', time: at }),
    })
    this.#unfollow = logic.due === undefined ? () => undefined : time.follow(() => this.#ticks.moved())
  }

  /** Call it after every turn, and when the processor may have become idle. */
  look(): void {
    if (this.#logic.takeSteps !== undefined && this.#host.open())
      for (const request of this.#logic.takeSteps()) this.#steps.run(request)
    if (this.#logic.due !== undefined) this.#ticks.arm()
  }

  stop(): void {
    this.#unfollow()
    this.#ticks.stop()
    this.#steps.stop()
  }
}
