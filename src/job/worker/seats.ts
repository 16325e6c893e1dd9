import type { Lane } from '../job-event.js'
import type { LaneSchedule } from '../lane-schedule.js'
import type { Seat } from './work-ports.js'

/** The seat of a job in hand. */
export interface JobSeat extends Seat {
  /** The job is not in hand any more. */
  end(): void
}

interface Returning {
  readonly lane: Lane
  readonly take: () => void
}

/**
 * Who is asked, of the jobs that a schedule has begun: a job whose answer is being recorded leaves its place to another one, and comes
 * back where the answer is not the end of it.
 */
export class Seats {
  readonly #schedule: LaneSchedule<unknown>
  readonly #places: () => number
  readonly #onFree: () => void
  #returning: Returning[] = []

  /** @param onFree somebody else may be begun */
  constructor(schedule: LaneSchedule<unknown>, places: () => number, onFree: () => void) {
    this.#schedule = schedule
    this.#places = places
    this.#onFree = onFree
  }

  /** The seat of a job that the schedule has begun. @param signal ends its waiting for another one */
  of(lane: Lane, signal: AbortSignal): JobSeat {
    let seated = true
    const stand = (): boolean => {
      if (!seated) return false
      seated = false
      this.#schedule.ended(lane)
      return true
    }
    return {
      leave: () => (stand() ? this.#onFree() : undefined),
      end: () => void stand(),
      take: async () => {
        if (seated) return
        await this.#return(lane, signal)
        seated = true
      },
    }
  }

  /** Those that come back are begun before others. */
  fill(): void {
    const places = this.#places()
    while (this.#returning.length > 0) {
      const at = this.#returning.findIndex(({ lane }) => this.#schedule.resume(lane, places))
      if (at < 0) return
      const [first] = this.#returning.splice(at, 1)
      first?.take()
    }
  }

  #return(lane: Lane, signal: AbortSignal): Promise<void> {
    if (this.#schedule.resume(lane, this.#places())) return Promise.resolve()
    return new Promise((resolve, reject) => {
      const onAbort = (): void => {
        this.#returning = this.#returning.filter((one) => one !== waiting)
        reject(signal.reason as Error)
      }
      const take = (): void => {
        signal.removeEventListener('abort', onAbort)
        resolve()
      }
      const waiting: Returning = { lane, take }
      if (signal.aborted) return reject(signal.reason as Error)
      signal.addEventListener('abort', onAbort, { once: true })
      this.#returning.push(waiting)
    })
  }
}
