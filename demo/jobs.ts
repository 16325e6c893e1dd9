// The demo's jobs: every suspicion that the rules find is triaged. Waits for them, brings back the one that became a dead letter, and
// holds what is on the log against what was requested and what was billed.
import type { Connection } from '../src/broker/connection.ts'
import { storedFilter } from '../src/event/subject.ts'
import { readRange } from '../src/replay/read-range.ts'
import type { DeployedJob } from '../src/runtime/deployed-jobs.ts'
import type { Deployment } from '../src/runtime/deployment.ts'
import { readJobEvents, type LoggedJobEvent } from '../src/runtime/read-jobs.ts'
import { systemClock } from '../src/time/system-clock.ts'
import { wrongBills, wrongJobs } from './check-jobs.ts'
import { jobsOf, type DemoJob } from './job-account.ts'
import type { DemoModel } from './model.ts'
import type { Narrator } from './narrate.ts'
import { millrace } from './runtime-process.ts'

/** Longest that the last jobs may take, in ms. What a killed process had in hand is free after half a minute. */
const LONGEST = 240_000

export interface JobsResult {
  readonly jobs: readonly DemoJob[]
  /** What is not as it must be, in words. */
  readonly wrong: readonly string[]
  /** Requests that the model had, and those of them that it billed; undefined: nobody knows but the provider. */
  readonly calls: { readonly made: number; readonly billed: number } | undefined
  readonly model: string
}

export interface DemoJobsOptions {
  readonly connection: Connection
  readonly url: string
  readonly deployment: Deployment
  readonly model: DemoModel
  readonly tell: Narrator
}

export class DemoJobs {
  readonly #options: DemoJobsOptions
  readonly #job: DeployedJob

  constructor(options: DemoJobsOptions) {
    this.#options = options
    const job = options.deployment.jobs?.find(({ declaration }) => declaration.name === 'triage')
    if (job === undefined) throw new Error('no job triage is declared')
    this.#job = job
  }

  /** Until every request is decided; what is a dead letter meanwhile is brought back, once. */
  async finish(signal: AbortSignal): Promise<void> {
    const { tell } = this.#options
    const requested = await this.#requested()
    let redriven = false
    for (const end = performance.now() + LONGEST; ;) {
      signal.throwIfAborted()
      const jobs = await this.#jobs()
      const decided = jobs.filter(({ state }) => state.kind === 'decided').length
      tell.progress(`${decided} of ${requested.length} decided`)
      if (decided === requested.length) return
      const dead = jobs.filter(({ state }) => state.kind === 'dead')
      // all others first, so that what is brought back is brought back alone
      if (!redriven && dead.length > 0 && decided + dead.length === requested.length) {
        await this.#redrive(dead)
        redriven = true
      } else if (redriven && decided + dead.length === requested.length && dead.every((job) => job.redriven > 0)) return
      if (performance.now() > end) return
      await systemClock.sleep(250)
    }
  }

  async check(): Promise<JobsResult> {
    const { calls, name } = this.#options.model
    const jobs = await this.#jobs()
    const wrong = [...wrongJobs(jobs, await this.#requested())]
    if (calls === undefined) return { jobs, wrong, calls: undefined, model: name }
    const dead = jobs.filter(({ died }) => died > 0)
    if (dead.length !== 1) wrong.push(`${dead.length} jobs were dead letters, not one`)
    wrong.push(...wrongBills(jobs, calls))
    const billed = calls.filter((call) => call.billed !== undefined).length
    return { jobs, wrong, calls: { made: calls.length, billed }, model: name }
  }

  /** By the command line, as anybody would. */
  async #redrive(dead: readonly DemoJob[]): Promise<void> {
    const { tell, url, model } = this.#options
    tell.progress('the one that was refused')
    model.mend()
    const command = ['dead-letters', 'redrive', '--processor', 'handler-job-triage', '--yes', '--wait']
    await millrace(url, command)
    for (const { id, state } of dead)
      if (state.kind === 'dead') tell.done(`job ${id} was dead: ${state.code ?? ''}, ${state.reason}`)
    tell.done(`millrace ${command.join(' ')}`)
  }

  async #jobs(): Promise<readonly DemoJob[]> {
    const { connection } = this.#options
    const events: LoggedJobEvent[] = []
    for await (const event of readJobEvents(this.#job.records, { connection, clock: systemClock })) events.push(event)
    return jobsOf(events)
  }

  /** Ids of the events that request jobs. */
  async #requested(): Promise<readonly string[]> {
    const { connection } = this.#options
    const { stream, declaration } = this.#job
    const { state } = await connection.manager.streams.info(stream.name)
    const ids: string[] = []
    await readRange(connection, {
      stream: stream.name,
      filters: [storedFilter(stream.root, declaration.on.event.type)],
      first: state.first_seq,
      last: state.last_seq,
      clock: systemClock,
      take: (messages) => {
        for (const { headers } of messages) ids.push(headers.get('ce-id') ?? '')
      },
    })
    return ids
  }
}
