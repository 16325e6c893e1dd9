import type { Log } from '../../observe/log.js'
import type { Stall } from '../storing.js'

/**
 * Places for runs of one handler in one process, over all of its units: whoever asks first gets the next one. Runs that
 * were left behind keep theirs until they end.
 */
export class Places {
  readonly #handler: string
  readonly #most: number
  readonly #onStall: (stall: Stall | undefined) => void
  readonly #waiting: (() => void)[] = []
  #taken = 0
  #abandoned = 0
  #held = false

  /** @param onStall told when runs that were left behind have all the places; undefined: it is over */
  constructor(handler: string, most: number, onStall: (stall: Stall | undefined) => void = () => undefined) {
    this.#handler = handler
    this.#most = most
    this.#onStall = onStall
  }

  /** Resolves with one. @throws the signal’s reason */
  async take(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted()
    if (this.#isFree) return void (this.#taken += 1)
    await new Promise<void>((resolve, reject) => {
      const onAbort = (): void => {
        const at = this.#waiting.indexOf(next)
        if (at >= 0) this.#waiting.splice(at, 1)
        reject(signal.reason as Error)
      }
      const next = (): void => {
        signal.removeEventListener('abort', onAbort)
        resolve()
      }
      signal.addEventListener('abort', onAbort, { once: true })
      this.#waiting.push(next)
    })
  }

  give(): void {
    this.#taken -= 1
    this.#pass()
  }

  /** Nothing more is begun, or it goes on. */
  hold(held: boolean): void {
    this.#held = held
    this.#pass()
  }

  /** A run goes on after its time: it keeps a place. @returns called when it has ended */
  abandon(log: Log): () => void {
    this.#abandoned += 1
    const handler = this.#handler
    if (this.#abandoned === this.#most) {
      const detail = `${this.#abandoned} runs have not ended after their timeout`
      const stall = { code: 'HANDLER_STUCK', detail } as const
      log.error({ handler, ...stall }, 'a handler stands still')
      this.#onStall(stall)
    }
    return () => {
      this.#abandoned -= 1
      if (this.#abandoned === this.#most - 1) {
        log.info({ handler }, 'a handler goes on')
        this.#onStall(undefined)
      }
      this.#pass()
    }
  }

  get #isFree(): boolean {
    return !this.#held && this.#taken + this.#abandoned < this.#most
  }

  #pass(): void {
    while (this.#isFree && this.#waiting.length > 0) {
      this.#taken += 1
      this.#waiting.shift()?.()
    }
  }
}
