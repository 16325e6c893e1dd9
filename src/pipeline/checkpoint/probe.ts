import { fault, messageOf } from '../../error/millrace-error.js'
import type { EventDraft, StoredEvent } from '../../event/event.js'
import type { PipelineDeclaration } from '../define-pipeline.js'
import { LiveKey, type KeyTarget, type SavedOperators } from './live-key.js'

/** What a key did with what was handled. */
export interface KeyOutcome {
  readonly outputs: readonly EventDraft[]
  readonly failed: boolean
}

/**
 * A twin of a key, brought back from what would be stored of it, that is given the same for a while: when it puts out
 * something else, something keeps state where it is not stored.
 */
export class Probe implements KeyTarget {
  readonly key: string
  readonly #pipeline: string
  readonly #original: LiveKey
  #twin: LiveKey | undefined
  #outputs: EventDraft[] = []
  #failed = false
  #left: number

  /** @param saved what would be stored of `original` now. @param turns how many turns it goes on */
  constructor(pipeline: PipelineDeclaration, original: LiveKey, saved: SavedOperators, turns: number) {
    this.key = original.key
    this.#pipeline = pipeline.name
    this.#original = original
    this.#left = turns
    const plain = JSON.parse(JSON.stringify(saved)) as SavedOperators
    this.#twin = new LiveKey(pipeline, original.key, this, original.scheduler.now(), plain)
  }

  get over(): boolean {
    return this.#left <= 0
  }

  /** Whether it is the twin of this subscription. */
  isOf(live: LiveKey): boolean {
    return this.#original === live
  }

  /** @throws CHECKPOINT_FOREIGN_STATE */
  offer(event: StoredEvent, time: number, handled: string, original: KeyOutcome): void {
    this.#compare(handled, original, (twin) => twin.offer(event, time, handled))
  }

  /** @throws CHECKPOINT_FOREIGN_STATE */
  moveTo(time: number, handled: string, original: KeyOutcome): void {
    this.#compare(handled, original, (twin) => twin.moveTo(time, handled))
  }

  /** @throws CHECKPOINT_FOREIGN_STATE */
  finish(time: number, handled: string, original: KeyOutcome): void {
    this.#compare(handled, original, (twin) => twin.finish(time, handled))
    this.end()
  }

  end(): void {
    this.#left = 0
    this.#twin?.stop()
    this.#twin = undefined
  }

  emitted(_: LiveKey, draft: EventDraft): void {
    this.#outputs.push(draft)
  }

  failed(_: LiveKey, error: unknown): void {
    this.#failed = true
    this.#outputs.push({ failed: messageOf(error) } as unknown as EventDraft)
  }

  #compare(handled: string, original: KeyOutcome, act: (twin: LiveKey) => void): void {
    const twin = this.#twin
    if (twin === undefined) return
    this.#outputs = []
    act(twin)
    this.#left -= 1
    const difference = this.#difference(twin, original)
    if (difference === undefined) return this.#left > 0 ? undefined : this.end()
    this.end()
    const where = `${this.#pipeline}: key ${JSON.stringify(this.key)}, ${handled}`
    throw fault(
      'CHECKPOINT_FOREIGN_STATE',
      `${where}: ${difference}; stored is the state of ${twin.shape || 'no operator'}`,
    )
  }

  #difference(twin: LiveKey, { outputs, failed }: KeyOutcome): string | undefined {
    if (failed !== this.#failed) return failed ? 'it failed only as it was' : 'it failed only after it was brought back'
    if (failed) return undefined
    const [was, is] = [outputs.map(text), this.#outputs.map(text)]
    const at = was.findIndex((each, place) => each !== is[place])
    if (at >= 0) return `output ${at + 1} was ${was[at]}, brought back ${is[at] ?? 'there was none'}`
    if (is.length > was.length) return `brought back it put out ${is[was.length]} too`
    const [due, twinDue] = [this.#original.scheduler.nextDue, twin.scheduler.nextDue]
    return due === twinDue ? undefined : `its next timer was due at ${due}, brought back at ${twinDue}`
  }
}

function text(draft: EventDraft): string {
  return JSON.stringify(draft).slice(0, 500)
}
