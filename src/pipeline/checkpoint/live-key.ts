import { Subject, type Observer, type Subscription } from 'rxjs'
import { fault } from '../../error/millrace-error.js'
import type { EventDraft, StoredEvent } from '../../event/event.js'
import { runIn } from '../../time/ambient.js'
import type { PipelineDeclaration } from '../define-pipeline.js'
import type { StoredCause } from '../keyed/draft-cause.js'
import { OperatorScope, type SavedOperator } from '../ops/operator-scope.js'
import { CheckpointContext } from './checkpoint-context.js'
import { KeyScheduler } from './key-scheduler.js'

/** Told what comes out of a key. */
export interface KeyTarget {
  emitted(key: LiveKey, draft: EventDraft): void
  failed(key: LiveKey, error: unknown): void
}

/** What the operators of a key are, as plain data. */
export interface SavedOperators {
  /** The operators by name: another list is another pipeline. */
  readonly shape: string
  readonly states: readonly SavedOperator[]
  /** The pipeline has completed. */
  readonly completed: boolean
}

/** The subscription of one key, while it is in memory. Observes what comes out of it. */
export class LiveKey implements Observer<EventDraft> {
  readonly key: string
  readonly scheduler: KeyScheduler
  /** Event time of its last event, in ms, and what follows from it. */
  lastTime = 0
  cause: StoredCause | undefined
  /** Since somebody looked for keys that may go to sleep. */
  used = true
  readonly #scope: OperatorScope
  readonly #target: KeyTarget
  readonly #input = new Subject<StoredEvent>()
  readonly #subscription: Subscription
  #completed = false
  #failed = false
  #handled = ''
  #time: number
  #event: StoredEvent | undefined

  /**
   * @param time event time in ms
   * @param saved what it was; undefined: it begins
   * @throws KEYED_STATE_UNREADABLE, and what the pipeline throws while it is put together
   */
  constructor(
    pipeline: PipelineDeclaration,
    key: string,
    target: KeyTarget,
    time: number,
    saved: SavedOperators | undefined,
  ) {
    const where = `${pipeline.name}: key ${JSON.stringify(key)}`
    this.key = key
    this.#time = time
    this.#target = target
    this.scheduler = new KeyScheduler(where, time)
    this.#scope = new OperatorScope(saved?.states)
    const { scheduler } = this
    const context = new CheckpointContext({
      key,
      pipeline: pipeline.name,
      scheduler,
      scope: this.#scope,
      handled: () => this.#handled,
    })
    this.#subscription = runIn(scheduler, () => pipeline.build(this.#input.asObservable(), context).subscribe(this))
    this.#scope.built()
    if (saved === undefined) return
    this.#completed ||= saved.completed
    if (saved.shape !== this.#scope.shape)
      throw fault(
        'KEYED_STATE_UNREADABLE',
        `${where}: stored of ${saved.shape || 'no operators'}, there are ${this.#scope.shape || 'none'}`,
      )
  }

  get shape(): string {
    return this.#scope.shape
  }

  /** It has failed, and takes nothing any more. */
  get failedOnce(): boolean {
    return this.#failed
  }

  /** Gives it an event, at its event time. Nothing is due by then. @param handled names it */
  offer(event: StoredEvent, time: number, handled: string): void {
    this.#begin(time, handled)
    this.#event = event
    if (!this.#completed) runIn(this.scheduler, OFFER, this)
  }

  /** Fires what is due at `time`; nothing is before. */
  moveTo(time: number, handled: string): void {
    this.#begin(time, handled)
    runIn(this.scheduler, MOVE, this)
  }

  /** There will be no more events. */
  finish(time: number, handled: string): void {
    this.#begin(time, handled)
    runIn(this.scheduler, FINISH, this)
  }

  /** What the operators are; `states` share data with them. @throws CHECKPOINT_OPERATOR_INSIDE */
  save(): SavedOperators {
    return { shape: this.#scope.shape, states: this.#scope.save(), completed: this.#completed }
  }

  /** What an operator is called, by its number in `states`. */
  operatorName(at: number): string {
    return this.#scope.shapeAt(at)
  }

  /** An operator was subscribed to while something was handled, and is not over: its name. */
  get passing(): string | undefined {
    return this.#scope.passing
  }

  stop(): void {
    runIn(this.scheduler, () => this.#subscription.unsubscribe())
  }

  next(draft: EventDraft): void {
    if (!this.#scope.restoring) this.#target.emitted(this, draft)
  }

  error(error: unknown): void {
    this.#failed = true
    this.#target.failed(this, error)
  }

  complete(): void {
    this.#completed = true
  }

  #begin(time: number, handled: string): void {
    this.#time = time
    this.#handled = handled
  }

  /** In a turn: what was begun. */
  act(what: 'offer' | 'move' | 'finish'): void {
    this.scheduler.advanceTo(this.#time)
    if (what === 'move') return
    if (what === 'finish') this.#input.complete()
    else {
      const event = this.#event as StoredEvent
      this.#event = undefined
      this.#input.next(event)
    }
    this.scheduler.drain()
  }
}

// functions that all keys share: a key is to be small
const OFFER = (key: LiveKey): void => key.act('offer')
const MOVE = (key: LiveKey): void => key.act('move')
const FINISH = (key: LiveKey): void => key.act('finish')
