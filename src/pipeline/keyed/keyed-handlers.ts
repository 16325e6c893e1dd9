// Handlers of defineKeyed
//
// One call of a handler at a time, for one key. Either everything that it does holds, or nothing.
//
// Invariants (tests cite them):
//   H1  A handler that throws leaves the state and the timers of its key as they were, and puts nothing out.
//   H2  Nothing is done for a key outside of a handler's call.
import { fault } from '../../error/millrace-error.js'
import type { EventDraft, StoredEvent } from '../../event/event.js'
import { Seeded } from '../../time/seeded.js'
import type { KeyedDeclaration } from '../define-keyed.js'
import { withCause, type DraftCause } from './draft-cause.js'
import type { OutputCheck } from '../output-check.js'
import type { KeyState } from './key-state.js'
import type { KeyedContext } from './keyed-context.js'
import { copyPlain, findNotPlain, isPlain } from './plain-data.js'
import type { TimerHeap } from './timer-heap.js'
import { dropTimer, setTimer } from './timer-list.js'

/** Where a call puts what comes out. */
export interface HandlerCall {
  readonly entry: KeyState
  /** Event time in ms. */
  readonly now: number
  readonly outputs: EventDraft[]
  /** What drafts get that do not say it themselves. */
  readonly cause: DraftCause
  /** What is handled: an event, or a timer. */
  readonly what: StoredEvent | string
  /** What chance is made of; made at its first use. */
  chance?: Seeded
}

/** Members of a state that are looked at after each call, and how deep. All are when it is stored. */
const GLANCE = { budget: 32, depth: 16 }

export class KeyedHandlers {
  readonly #declaration: KeyedDeclaration
  readonly #heap: TimerHeap<KeyState>
  readonly #strict: boolean
  readonly #check: OutputCheck
  readonly #context: KeyedContext<unknown>
  #call: HandlerCall | undefined
  /** Timers that were changed, with what they were before, in order. */
  #undo: [name: string, due: number | undefined][] = []
  #setForNow = 0

  /** @param strict the whole state is checked after each call */
  constructor(declaration: KeyedDeclaration, heap: TimerHeap<KeyState>, check: OutputCheck, strict: boolean) {
    this.#declaration = declaration
    this.#heap = heap
    this.#strict = strict
    this.#check = check
    this.#context = this.#makeContext()
  }

  /** Timers that were set for the very time of the call, since ever. */
  get setForNow(): number {
    return this.#setForNow
  }

  /** @throws what the handler threw, after what it did was undone (H1) */
  run(call: HandlerCall): void {
    const { entry, outputs, what } = call
    const before = entry.state === undefined ? undefined : this.#copy(entry)
    const put = outputs.length
    if (this.#undo.length > 0) this.#undo = []
    this.#call = call
    try {
      const { onEvent, onTimer } = this.#declaration
      const result = typeof what === 'string' ? onTimer?.(this.#context, what) : onEvent(this.#context, what)
      if (result !== undefined) this.#refusePromise(result)
      if (entry.state !== undefined) this.#checkState(entry)
    } catch (error) {
      entry.state = before
      for (const [name, due] of this.#undo.reverse())
        if (due === undefined) dropTimer(entry, this.#heap, name)
        else setTimer(entry, this.#heap, name, due)
      outputs.length = put
      throw error
    } finally {
      this.#call = undefined
    }
  }

  /**
   * What a state is brought back to (H1). It costs a copy of the state in each call, 0.05 µs for a few numbers and some
   * 20 µs for 1,000 objects; what a list of so many costs to store is more.
   */
  #copy({ key, state }: KeyState): unknown {
    const copy = copyPlain(state)
    if (copy === undefined) throw this.notStorable(key, state)
    return copy
  }

  notStorable(key: string, state: unknown): Error {
    return fault('KEYED_STATE_NOT_STORABLE', this.#where(key, state))
  }

  #checkState({ key, state }: KeyState): void {
    if (!this.#strict && isPlain(state, GLANCE)) return
    if (findNotPlain(state, { shared: this.#strict }) !== undefined)
      throw fault('KEYED_STATE_INVALID', this.#where(key, state))
  }

  #where(key: string, state: unknown): string {
    const { path, why } = findNotPlain(state, { shared: this.#strict }) ?? { path: '', why: 'not plain' }
    return `${this.#declaration.name}: key ${JSON.stringify(key)}: the state has at ${path === '' ? 'its top' : path} ${why}`
  }

  #refusePromise(result: unknown): void {
    if (typeof (result as { then?: unknown }).then !== 'function') return
    ;(result as Promise<unknown>).then(undefined, () => undefined) // it is told here, not as an unhandled rejection
    throw fault('KEYED_ASYNC', this.#declaration.name)
  }

  #now(): HandlerCall {
    if (this.#call !== undefined) return this.#call
    throw fault('EMITTED_OUTSIDE_TURN', `${this.#declaration.name}: a handler’s context was used after its end`)
  }

  #makeContext(): KeyedContext<unknown> {
    // closures and not a class: handlers may take the methods out of it
    const current = (): HandlerCall => this.#now()
    const { init } = this.#declaration
    return {
      get key() {
        return current().entry.key
      },
      get state() {
        const { entry } = current()
        if (entry.state === undefined && init !== undefined) entry.state = init(entry.key)
        return entry.state
      },
      set state(state) {
        current().entry.state = state
      },
      get now() {
        return current().now
      },
      random: () => this.#chance(current()).random(),
      uuid: () => this.#chance(current()).uuid(),
      emit: (draft) => this.#emit(current(), draft),
      timer: (name, at) => this.#setTimer(current(), name, at),
      cancelTimer: (name) => this.#dropTimer(current().entry, name),
      clear: () => {
        const { entry } = current()
        entry.state = undefined
        while (entry.timers !== undefined) this.#dropTimer(entry, entry.timers.name)
      },
    }
  }

  /** Nothing of it has to be stored: it follows from the event or timer that is being handled. */
  #chance(call: HandlerCall): Seeded {
    const { what, now, entry } = call
    const handled = typeof what === 'string' ? ['timer', what, now] : ['event', what.source, what.id]
    return (call.chance ??= new Seeded(JSON.stringify([this.#declaration.name, entry.key, ...handled])))
  }

  #emit({ outputs, cause }: HandlerCall, draft: EventDraft): void {
    const problem = this.#check.problem(draft)
    if (problem !== undefined) throw problem
    outputs.push(withCause(draft, cause))
  }

  #setTimer({ entry, now }: HandlerCall, name: string, at: number): void {
    const wrong =
      this.#declaration.onTimer === undefined
        ? 'there is no onTimer'
        : typeof name !== 'string' || name === ''
          ? 'its name is empty'
          : Number.isFinite(at)
            ? undefined
            : `at ${String(at)}`
    if (wrong !== undefined)
      throw fault('KEYED_TIMER_INVALID', `${this.#declaration.name}: timer ${JSON.stringify(name)}: ${wrong}`)
    if (at <= now) this.#setForNow += 1
    this.#undoable([name, setTimer(entry, this.#heap, name, Math.max(at, now))])
  }

  #dropTimer(entry: KeyState, name: string): void {
    const was = dropTimer(entry, this.#heap, name)
    if (was !== undefined) this.#undoable([name, was])
  }

  #undoable(change: [name: string, due: number | undefined]): void {
    // most calls have one, and an array that grows has room for many
    if (this.#undo.length === 0) this.#undo = [change]
    else this.#undo.push(change)
  }
}
