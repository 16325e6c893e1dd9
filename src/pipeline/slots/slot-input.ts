import { Observable, type Subscriber } from 'rxjs'
import type { StoredEvent } from '../../event/event.js'

type Events = Subscriber<StoredEvent>

/**
 * The events of one slot, as a `Subject` would give them to its subscribers, of which there nearly always is one. A
 * Subject has a list of them, a copy of the list and a subscription for each: for a slot of few events that is a good
 * part of what it costs.
 */
export class SlotInput {
  readonly events$: Observable<StoredEvent>
  #first: Events | undefined
  /** Further ones, in the order in which they came. It only grows: who goes is left out of a new list. */
  #others: Events[] | undefined
  #ended = false

  constructor() {
    this.events$ = new Observable((subscriber) => this.#add(subscriber))
  }

  next(event: StoredEvent): void {
    const others = this.#others
    const count = others?.length ?? 0 // who subscribes meanwhile does not see this event
    this.#first?.next(event)
    for (let at = 0; at < count; at++) others?.[at]?.next(event)
  }

  complete(): void {
    this.#ended = true
    const [first, others] = [this.#first, this.#others]
    this.#first = this.#others = undefined
    first?.complete()
    if (others !== undefined) for (const subscriber of others) subscriber.complete()
  }

  #add(subscriber: Events): (() => void) | undefined {
    if (this.#ended) {
      subscriber.complete()
      return undefined
    }
    if (this.#first === undefined && this.#others === undefined) this.#first = subscriber
    else if (this.#others === undefined) this.#others = [subscriber]
    else this.#others.push(subscriber)
    return () => this.#remove(subscriber)
  }

  #remove(subscriber: Events): void {
    if (this.#first === subscriber) this.#first = undefined
    else {
      const left = this.#others?.filter((other) => other !== subscriber)
      this.#others = left?.length === 0 ? undefined : left
    }
  }
}
