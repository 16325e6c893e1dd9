// EdgeRun
//
// Has a sink or source work for as long as it runs. What is in its way is told, and it begins anew from what is stored when
// that may be away; an error that repeating does not mend ends it.
import { isFault, messageOf, fault, type MillraceError } from '../error/millrace-error.js'
import type { Log } from '../observe/log.js'
import type { Clock } from '../time/clock.js'
import type { EdgeAtWork, EdgeStatus } from './edge-status.js'

export interface EdgeRunOptions extends Pick<EdgeStatus, 'edge' | 'kind' | 'stream'> {
  readonly clock: Clock
  readonly log: Log
  /** Works until it is asked to stop, or something is in its way. @throws what that is */
  readonly work: (progress: EdgeProgress) => Promise<void>
}

/** What work tells of itself. */
export interface EdgeProgress {
  readonly signal: AbortSignal
  /** It is at work, and this far. */
  moved(position: number | string, counts: { readonly done: number; readonly letters: number }): void
  /** It waits in the middle of its work. */
  stalled(error: MillraceError): void
}

const FIRST_WAIT_MS = 100
const LONGEST_WAIT_MS = 5_000
const TELL_AGAIN_MS = 30_000

export class EdgeRun implements EdgeAtWork {
  readonly ended: Promise<void>
  readonly #options: EdgeRunOptions
  readonly #end = new AbortController()
  readonly #done: Promise<void>
  #status: EdgeStatus
  #wait = FIRST_WAIT_MS
  #warnedAt = Number.NEGATIVE_INFINITY

  /** Begins at once. */
  static start(options: EdgeRunOptions): EdgeRun {
    return new EdgeRun(options)
  }

  private constructor(options: EdgeRunOptions) {
    const { edge, kind, stream } = options
    this.#options = options
    this.#status = { edge, kind, stream, state: 'starting', stall: undefined, position: 0, done: 0, letters: 0 }
    this.ended = this.#run()
    this.#done = this.ended.catch(() => undefined) // told to who owns it
  }

  get status(): EdgeStatus {
    return this.#status
  }

  async stop(): Promise<void> {
    this.#end.abort()
    await this.#done
  }

  async #run(): Promise<void> {
    const { clock, work } = this.#options
    const { signal } = this.#end
    const progress: EdgeProgress = {
      signal,
      moved: (position, counts) => this.#moved(position, counts),
      stalled: (error) => this.#stalled(error),
    }
    while (!signal.aborted)
      try {
        await work(progress)
      } catch (error) {
        if (signal.aborted) return
        const known = asEdgeFault(error)
        this.#stalled(known)
        if (known.disposition === 'crash') throw known
        // who was replaced lets the other one work: it is about to be told that it is not the owner any more
        if (known.code === 'EDGE_FENCED') this.#wait = LONGEST_WAIT_MS
        await clock.sleep(this.#wait, signal).catch(() => undefined)
        this.#wait = Math.min(2 * this.#wait, LONGEST_WAIT_MS)
      }
  }

  #moved(position: number | string, { done, letters }: { readonly done: number; readonly letters: number }): void {
    const { log, edge } = this.#options
    if (this.#status.stall !== undefined) log.info({ edge }, 'it goes on')
    this.#wait = FIRST_WAIT_MS
    this.#status = { ...this.#status, state: 'working', stall: undefined, position, done, letters }
  }

  #stalled({ code, detail }: MillraceError): void {
    const { clock, log, edge } = this.#options
    const again = clock.monotonic() - this.#warnedAt > TELL_AGAIN_MS
    if (this.#status.stall?.code !== code || again) {
      this.#warnedAt = clock.monotonic()
      log.warn({ edge, code, detail }, 'it stands still')
    }
    const since = this.#status.stall?.since ?? clock.now()
    this.#status = { ...this.#status, state: 'stalled', stall: { code, detail, since } }
  }
}

function asEdgeFault(error: unknown): MillraceError {
  return isFault(error) ? error : fault('EDGE_FAILED', messageOf(error), { cause: error })
}
