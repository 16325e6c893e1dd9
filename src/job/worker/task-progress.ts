import type { JobState } from '../job-state.js'
import type { CallProgress, JobProgress, ProgressCall } from '../progress/job-progress.js'

/** What is told of the calls of one message: each has its last word when the log has it. */
export class TaskProgress {
  readonly #progress: JobProgress
  #call: CallProgress | undefined

  constructor(progress: JobProgress) {
    this.#progress = progress
  }

  started(call: ProgressCall): CallProgress {
    return (this.#call = this.#progress.started(call))
  }

  /** Where the job stands now. */
  at(state: JobState): void {
    if (this.#call === undefined) return
    if (state.kind === 'decided') this.#call.ended({ kind: 'decided', decision: state.decision })
    else if (state.kind === 'dead') this.#call.ended({ kind: 'dead', reason: state.reason })
    else if (state.kind === 'waiting')
      this.#call.ended({ kind: 'again', reason: state.account.repair === undefined ? 'failed' : 'invalid' })
    else return
    this.#call = undefined
  }

  /** It is given up here, wherever the job stands. */
  left(): void {
    this.#call?.ended({ kind: 'again', reason: 'left' })
    this.#call = undefined
  }
}
