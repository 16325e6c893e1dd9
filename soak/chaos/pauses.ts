// How long outputs waited, and what for.
import type { Timeline } from './timeline.ts'

export interface PauseReport {
  /** The longest time from when an event was stored until its output was, in ms. */
  readonly longestPauseMs: number
  /** Which output that was, and what was done to its unit and to the server meanwhile. */
  readonly longestPause: string
  /**
   * The longest time that an output waited while nothing was in the way of its unit (Timeline.clearSince), in ms: the
   * pause that is the runtime’s own. A lease, to find out that a worker is dead, is part of it.
   */
  readonly longestRecoveryMs: number
  readonly longestRecovery: string
}

export interface Waited {
  readonly id: string
  readonly unit: string
  readonly cause: number
  readonly storedAt: number
}

/** Shorter ones are nobody’s pause, and looking up the hits of each output would take long. */
const WORTH_A_LOOK_MS = 1_000

export class Pauses {
  readonly #timeline: Timeline
  #pause: Waited | undefined
  #recovery: (Waited & { readonly since: number }) | undefined

  constructor(timeline: Timeline) {
    this.#timeline = timeline
  }

  add(waited: Waited): void {
    const { unit, cause, storedAt } = waited
    const ms = storedAt - cause
    if (this.#pause === undefined || ms > lasted(this.#pause)) this.#pause = waited
    const longest = this.#recovery === undefined ? 0 : this.#recovery.storedAt - this.#recovery.since
    if (ms < WORTH_A_LOOK_MS || ms <= longest) return
    const since = this.#timeline.clearSince(unit, cause, storedAt)
    if (storedAt - since > longest) this.#recovery = { ...waited, since }
  }

  get report(): PauseReport {
    const [pause, recovery] = [this.#pause, this.#recovery]
    return {
      longestPauseMs: pause === undefined ? 0 : lasted(pause),
      longestPause: this.#told(pause),
      longestRecoveryMs: recovery === undefined ? 0 : recovery.storedAt - recovery.since,
      longestRecovery: this.#told(recovery),
    }
  }

  #told(waited: Waited | undefined): string {
    if (waited === undefined) return ''
    const { id, unit, cause, storedAt } = waited
    const after = (at: number): string => `+${((at - cause) / 1_000).toFixed(1)}`
    const hits = this.#timeline.hits(unit, cause, storedAt).map(({ at, what }) => `${after(at)} ${what}`)
    return [`${id} from ${new Date(cause).toISOString()}`, ...hits, `${after(storedAt)} stored`].join(', ')
  }
}

function lasted({ cause, storedAt }: Waited): number {
  return storedAt - cause
}
