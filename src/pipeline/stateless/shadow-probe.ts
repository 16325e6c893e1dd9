import { Subject } from 'rxjs'
import { fault, messageOf, type MillraceError } from '../../error/millrace-error.js'
import type { EventDraft, StoredEvent } from '../../event/event.js'
import type { EventTimeScheduler } from '../../time/event-time-scheduler.js'
import type { PipelineDeclaration } from '../define-pipeline.js'
import { describeDraft } from '../output-check.js'
import { keepingOperators } from './operator-names.js'
import { StatelessContext } from './stateless-context.js'

/** The first events are all tried, for most state shows at once. */
const FIRST = 16

/**
 * Tries whether a pipeline is as stateless as it says: now and then an event also goes to an instance that has seen no
 * other, which has to put out the same. What the pipeline does beside that happens twice then.
 */
export class ShadowProbe {
  readonly #pipeline: PipelineDeclaration
  readonly #scheduler: EventTimeScheduler
  readonly #every: number
  #seen = 0

  /** @param every how many events there are for one that is tried; 0: none is */
  constructor(pipeline: PipelineDeclaration, scheduler: EventTimeScheduler, every: number) {
    this.#pipeline = pipeline
    this.#scheduler = scheduler
    this.#every = every
  }

  /** Whether the next event is to be tried. */
  due(): boolean {
    this.#seen += 1
    return this.#every > 0 && (this.#seen <= FIRST || this.#seen % this.#every === 0)
  }

  /**
   * Hands the event to a fresh instance. To be called in a turn.
   * @param outputs what the pipeline put out for it
   * @returns what is wrong (PIPELINE_KEEPS_STATE), or undefined
   */
  problem(event: StoredEvent, outputs: readonly EventDraft[]): MillraceError | undefined {
    const alone: EventDraft[] = []
    let ended: string | undefined
    const input = new Subject<StoredEvent>()
    const context = new StatelessContext(this.#pipeline, this.#scheduler)
    try {
      const subscription = this.#pipeline.build(input.asObservable(), context).subscribe({
        next: (draft) => alone.push(draft),
        error: (error: unknown) => (ended = `it fails: ${messageOf(error)}`),
        complete: () => (ended = 'it completes'),
      })
      context.event = event
      input.next(event)
      this.#scheduler.drain()
      subscription.unsubscribe()
    } catch (error) {
      ended = `it fails: ${messageOf(error)}`
    }
    if (ended === undefined && same(outputs, alone)) return undefined
    const apart = ended ?? `it puts out ${describeDraft(alone)}`
    const detail = `sequence ${event.sequence} gave ${describeDraft(outputs)}; without the events before it ${apart}`
    return this.#error(detail)
  }

  /** The pipeline waits for something after a turn. */
  waiting(event: StoredEvent | undefined): MillraceError {
    const when = event === undefined ? 'when it was subscribed to' : `after the turn of sequence ${event.sequence}`
    return this.#error(`${this.#scheduler.pending} timers wait ${when}`)
  }

  #error(detail: string): MillraceError {
    const context = new StatelessContext(this.#pipeline, this.#scheduler)
    const operators = keepingOperators((events$) => this.#pipeline.build(events$, context))
    const named = operators.length === 0 ? '' : `. Likely cause: ${operators.join('; ')}`
    return fault('PIPELINE_KEEPS_STATE', `${this.#pipeline.name}: ${detail}${named}`)
  }
}

function same(one: readonly EventDraft[], other: readonly EventDraft[]): boolean {
  return one.length === other.length && (one.length === 0 || JSON.stringify(one) === JSON.stringify(other))
}
