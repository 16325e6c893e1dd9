import type { Connection } from '../../broker/connection.js'
import { followJob } from '../../runtime/follow-job.js'
import type { DeployedJob } from '../../runtime/deployed-jobs.js'
import type { CliContext } from '../context.js'
import { printJsonLine } from '../json.js'

/** What is printed of a job, of which a text may be in the middle of its line. */
export class WatchedText {
  readonly #context: CliContext
  #open = false

  constructor(context: CliContext) {
    this.#context = context
  }

  /** Ends the line of a text that was begun. */
  close(): void {
    if (this.#open) this.#context.out.line()
    this.#open = false
  }

  /** Prints answers while they come, until the job is over. @throws errors of the broker */
  async follow(connection: Connection, job: Pick<DeployedJob, 'records' | 'progress'>, id: string): Promise<void> {
    const { clock, signal, json, out } = this.#context
    for await (const event of followJob(job, id, { connection, clock, signal })) {
      // the rest of it is on the log, which is printed as well
      if (event.type !== 'job.text') continue
      if (json) {
        printJsonLine(this.#context, event)
        continue
      }
      out.write(event.text)
      this.#open = true
    }
    this.close()
  }
}
