import type { EventDraft } from '../../event/event.js'

/**
 * What a handler of `defineKeyed` works with. It is the same object in every call; what it shows is of the key whose
 * event or timer is being handled. Using it after the handler has returned is an error (EMITTED_OUTSIDE_TURN).
 */
export interface KeyedContext<State, Output extends EventDraft = EventDraft> {
  readonly key: string
  /**
   * The state of the key: plain JSON data. It may be replaced or changed in place; a state that was set to undefined is
   * none.
   */
  state: State
  /** Event time in ms: of the event, or when the timer was due. Never goes back. */
  readonly now: number
  /** From 0 up to, but not including, 1: the same for this event or timer whenever it is handled. */
  random(): number
  /** A UUID, the same for this event or timer whenever it is handled. */
  uuid(): string
  /** Puts out an event. Unless it says so itself, it happens now and follows from the last event of the key. */
  emit(draft: Output): void
  /**
   * Has `onTimer` called with `name` when event time reaches `at`, in place of an earlier setting. A time that has
   * passed is now: it fires after this handler. Timers of one time fire by key, then by name.
   * @param at in ms
   * @throws KEYED_TIMER_INVALID
   */
  timer(name: string, at: number): void
  cancelTimer(name: string): void
  /** Forgets the key: its state and all of its timers. */
  clear(): void
}
