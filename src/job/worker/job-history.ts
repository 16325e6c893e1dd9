import { worthRepeating } from '../../broker/api-error.js'
import { isFault } from '../../error/millrace-error.js'
import type { Clock } from '../../time/clock.js'
import { decideJob, jobOf, type JobCommand, type JobRefusal } from '../decide-job.js'
import type { JobEvent } from '../job-event.js'
import { NO_JOB, type JobState } from '../job-state.js'
import type { FirstRecord, JobLog } from '../take-request.js'

export interface HistoryPorts {
  readonly log: JobLog
  readonly clock: Clock
  /** In ms since the Unix epoch, by the clock of the server. */
  readonly now: () => number
  /** Ends what is tried again and again. */
  readonly signal: AbortSignal
}

const PAUSE_MS = 500

/** A job as it is on the log, for whoever has its message. */
export class JobHistory {
  readonly #ports: HistoryPorts
  readonly #id: string
  #state: JobState = NO_JOB
  #version = 0
  /** Whether the log has not been asked yet. */
  #assumed = false

  constructor(ports: HistoryPorts, id: string) {
    this.#ports = ports
    this.#id = id
  }

  get state(): JobState {
    return this.#state
  }

  /** @throws errors of the broker that do not pass, `signal.reason` */
  async read(): Promise<JobState> {
    const { state, version } = await insisting(this.#ports, () => this.#ports.log.read(this.#id))
    this.#assumed = false
    this.#version = version
    return (this.#state = state)
  }

  /**
   * Takes the job to have its first record and no other. What is told then finds out whether that is so.
   * @returns false: it has to be read
   */
  assume({ sequence, requested }: FirstRecord): boolean {
    const { log } = this.#ports
    if (log.assume === undefined) return false
    log.assume(this.#id, 1, sequence)
    this.#version = 1
    this.#state = jobOf([requested])
    return (this.#assumed = true)
  }

  /**
   * Has commands follow one after the other, all in one record or none; where somebody else was faster, from what there is then.
   * An attempt that is not the last one any more has its bill recorded, and nothing that comes behind it.
   * @returns why nothing, or not all, may follow; `changed`: the job is not what it was taken for, or the attempt that was to begin
   *   would not be the next one, so that something else may be to do
   * @throws errors of the broker that do not pass, `signal.reason`
   */
  async tell(...commands: readonly JobCommand[]): Promise<'told' | 'changed' | JobRefusal> {
    const once = this.#assumed || commands.some(({ kind }) => kind === 'start')
    for (;;) {
      const decided = this.#decide(commands)
      if (decided.events.length === 0) return decided.outcome
      const stored = await this.#append(decided.events)
      if (stored === 'stored') {
        this.#assumed = false
        this.#version += decided.events.length
        this.#state = decided.state
        return decided.outcome
      }
      await this.read()
      if (once) return 'changed'
    }
  }

  #decide(commands: readonly JobCommand[]): {
    readonly events: readonly JobEvent[]
    readonly state: JobState
    readonly outcome: 'told' | JobRefusal
  } {
    const events: JobEvent[] = []
    let state = this.#state
    for (const command of commands) {
      const verdict = decideJob(state, command, this.#ports.now())
      if (verdict.kind === 'refused') return { events, state, outcome: verdict.why }
      events.push(...verdict.events)
      state = verdict.state
      if (verdict.events.some(({ type }) => type === 'job.attempt-billed'))
        return { events, state, outcome: 'superseded' }
    }
    return { events, state, outcome: 'told' }
  }

  /** Once; of what is not known to be stored the history tells. */
  async #append(events: readonly JobEvent[]): Promise<'stored' | 'look'> {
    const { log, clock, signal } = this.#ports
    const request = this.#state.kind === 'none' ? undefined : this.#state.account.request
    const cause = { correlationId: request?.origin?.correlationId, causationId: this.#id }
    try {
      return (await log.append(this.#id, this.#version, events, cause)) ? 'stored' : 'look'
    } catch (error) {
      if (!isFault(error) || !worthRepeating(error)) throw error
      await clock.sleep(PAUSE_MS, signal)
      return 'look'
    }
  }
}

/** Tries until it succeeds, the signal is aborted, or it fails for good. @throws `signal.reason`, and what does not pass */
export async function insisting<T>(
  { clock, signal }: Pick<HistoryPorts, 'clock' | 'signal'>,
  work: () => Promise<T>,
): Promise<T> {
  for (;;) {
    signal.throwIfAborted()
    try {
      return await work()
    } catch (error) {
      if (!isFault(error) || !worthRepeating(error)) throw error
    }
    await clock.sleep(PAUSE_MS, signal)
  }
}
