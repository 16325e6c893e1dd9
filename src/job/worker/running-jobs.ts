import type { Held } from '../../delivery/held.js'
import { isFault, messageOf } from '../../error/millrace-error.js'
import type { Log } from '../../observe/log.js'
import type { Clock } from '../../time/clock.js'
import type { JobTask, TaskEnd } from './work-ports.js'

/** A job that is worked on. */
export interface RunningJob {
  readonly held: Held
  /** Ends its waiting for a call; what ends the call does too. */
  readonly wait: AbortController
  /** Ends its call. */
  readonly call: AbortController
  /** Ends all else. */
  readonly all: AbortController
  /** Another process has it by now. */
  lost: boolean
}

/** How long the call of a job that was lost may still read, in ms. */
export const LAST_READ_MS = 250

/** What a worker is at. */
export class RunningJobs {
  readonly #running = new Map<Held, RunningJob>()
  #waiting: (() => void)[] = []

  get size(): number {
    return this.#running.size
  }

  get all(): readonly RunningJob[] {
    return [...this.#running.values()]
  }

  begin(held: Held): RunningJob {
    const [wait, call, all] = [new AbortController(), new AbortController(), new AbortController()]
    call.signal.addEventListener('abort', () => wait.abort(call.signal.reason), { once: true })
    const running: RunningJob = { held, wait, call, all, lost: false }
    this.#running.set(held, running)
    return running
  }

  ended(held: Held): void {
    this.#running.delete(held)
    if (this.#running.size > 0) return
    for (const wake of this.#waiting.splice(0)) wake()
  }

  /**
   * Ends the calls of those that another process has by now, but reads first what has arrived while this one stood still:
   * it is paid, and so is the call of one that has come back here meanwhile, which goes on.
   */
  lose(clock: Clock, isLost: (held: Held) => boolean): void {
    for (const running of this.#running.values()) {
      if (running.lost || !isLost(running.held)) continue
      running.lost = true
      clock.after(LAST_READ_MS, () => {
        running.lost = isLost(running.held)
        if (running.lost) running.call.abort(new Error('lost'))
      })
    }
  }

  /** Resolves when there is none, or after so many ms. */
  async idle(clock: Clock, limitMs: number): Promise<void> {
    if (this.#running.size === 0) return
    await new Promise<void>((resolve) => {
      const cancel = clock.after(limitMs, resolve)
      this.#waiting.push(() => {
        cancel()
        resolve()
      })
    })
  }
}

/** What ends parts of the work on one. */
export function signalsOf({ wait, call, all }: RunningJob): Required<Pick<JobTask, 'wait' | 'call' | 'signal'>> {
  return { wait: wait.signal, call: call.signal, signal: all.signal }
}

/** What becomes of the message of one that threw. */
export function endOf(running: RunningJob, error: unknown, log: Log): TaskEnd {
  // one that was lost may have come here again meanwhile: what somebody else has is not handed back
  if (running.wait.signal.aborted) return 'back'
  const code = isFault(error) ? error.code : 'INTERNAL'
  log.error({ code, detail: messageOf(error) }, 'a job cannot be done; it is tried again')
  return 'left'
}
