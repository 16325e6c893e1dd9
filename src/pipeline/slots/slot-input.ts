import { Observable, Subscriber, type Observer, type Subscription } from 'rxjs'
import type { StoredEvent } from '../../event/event.js'

type Events = Subscriber<StoredEvent>
type Next = (event: StoredEvent) => void

/** How many further subscribers there may be before those that have gone are looked for. */
const FEW = 8

/**
 * The events of one slot, as a `Subject` would give them to its subscribers, of which there nearly always is one. A
 * Subject has a list of them, a copy of the list, and for each a subscription by which it goes: for a slot of few events
 * that is a good part of what it costs. Here who is closed has gone.
 */
export class SlotInput extends Observable<StoredEvent> {
  #first: Events | undefined
  /** Further ones, in the order in which they came. It only grows: who has gone is left out of a new list. */
  #others: Events[] | undefined
  #most = FEW
  #ended = false

  next(event: StoredEvent): void {
    const first = this.#first
    const others = this.#others
    const count = others?.length ?? 0 // who subscribes meanwhile does not see this event
    if (first?.closed === false) first.next(event)
    for (let at = 0; at < count; at++) if (others?.[at]?.closed === false) others[at]?.next(event)
  }

  complete(): void {
    this.#ended = true
    const [first, others] = [this.#first, this.#others]
    this.#first = this.#others = undefined
    if (first?.closed === false) first.complete()
    if (others !== undefined) for (const subscriber of others) if (!subscriber.closed) subscriber.complete()
  }

  override subscribe(
    observer?: Partial<Observer<StoredEvent>> | Next | null,
    error?: ((error: unknown) => void) | null,
    complete?: (() => void) | null,
  ): Subscription {
    // operators come with a subscriber of theirs; whoever does not gets one from rxjs
    if (!(observer instanceof Subscriber))
      return new Observable<StoredEvent>((subscriber) => this.#add(subscriber)).subscribe(
        observer as Next,
        error,
        complete,
      )
    this.#add(observer as Events)
    return observer
  }

  #add(subscriber: Events): void {
    if (this.#ended) return subscriber.complete()
    if (this.#others === undefined && this.#first?.closed !== false) this.#first = subscriber
    else if (this.#others === undefined) this.#others = [subscriber]
    else if (this.#others.length < this.#most) this.#others.push(subscriber)
    else {
      this.#others = [...this.#others.filter(({ closed }) => !closed), subscriber]
      this.#most = Math.max(FEW, 2 * this.#others.length)
    }
  }
}
