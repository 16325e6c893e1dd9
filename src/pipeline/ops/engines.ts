import type { OperatorFunction } from 'rxjs'
import type { Advance, Engine } from '../../cep/engine/advance.js'
import type { EngineSnapshot } from '../../cep/engine/engine-snapshot.js'
import { createEngine } from '../../cep/engine/engine.js'
import type { Executable } from '../../cep/engine/executor.js'
import type { Match, Timeout } from '../../cep/engine/match.js'
import type { StoredEvent } from '../../event/event.js'
import { durable, type DurableOperator, type OperatorHost, type OperatorOutput } from './durable.js'
import type { DurableTimer, SavedTimer } from './durable-timer.js'

/** How an engine is used as an operator. */
export interface EngineUse<E> {
  /** Name of the operator. */
  readonly name: string
  /** What events are told apart by, within the key of the pipeline. Default nothing. */
  readonly by: ((event: E) => string) | undefined
  /** Partial matches that ran out of time are put out too. */
  readonly timeouts: boolean
  /** When the source ends, what waits for time comes out as if it had passed. */
  readonly flush: boolean
}

/**
 * An engine of `src/cep` as an operator: its state is the engine’s snapshot, and what is due fires as a timer. The
 * pipeline’s event time counts: an event is taken at the time at which the pipeline handles it.
 */
export function engineOperator<E extends StoredEvent>(
  host: OperatorHost,
  executable: Executable,
  use: EngineUse<E>,
): OperatorFunction<E, Match | Timeout> {
  const inOrder = withoutDisorder(executable)
  return durable(
    host,
    `${use.name}(${shapeOf(executable)})`,
    (output, saved) => new EngineOperator(inOrder, use, output, saved),
  )
}

/** A pipeline gives events in the order of its time: nothing has to wait for others. */
function withoutDisorder(executable: Executable): Executable {
  const { signature, reach, bounds } = executable
  return {
    signature,
    ...(reach === undefined ? {} : { reach }),
    bounds,
    lateness: 0,
    grace: 0,
    start: (out, state, trace) => executable.start(out, state, trace),
  }
}

/** FNV-1a (Fowler, Noll, Vo) of the signature: it is stored with every key’s shape, and signatures are long. */
function shapeOf({ signature }: Executable): string {
  let hash = 0x811c9dc5
  for (let at = 0; at < signature.length; at++) hash = Math.imul(hash ^ signature.charCodeAt(at), 0x01000193)
  return (hash >>> 0).toString(36)
}

class EngineOperator<E extends StoredEvent> implements DurableOperator<E> {
  readonly #engine: Engine
  readonly #reach: number
  readonly #use: EngineUse<E>
  readonly #output: OperatorOutput<Match | Timeout>
  /** Something comes out when it fires. */
  readonly #due: Alarm
  /** Nothing comes out, but state goes. */
  readonly #free: Alarm

  constructor(
    executable: Executable,
    use: EngineUse<E>,
    output: OperatorOutput<Match | Timeout>,
    saved: readonly unknown[] | undefined,
  ) {
    this.#engine = createEngine(executable, saved?.[0] as EngineSnapshot | undefined)
    this.#reach = executable.reach ?? Infinity
    this.#use = use
    this.#output = output
    const pass = (): void => this.#take({ kind: 'time', time: output.now() })
    this.#due = new Alarm(output.timer(pass), saved?.[1] as SavedTimer | 0 | undefined)
    this.#free = new Alarm(output.timer(pass, { periodic: true }), saved?.[2] as SavedTimer | 0 | undefined)
  }

  next(event: E): void {
    const time = this.#output.now()
    const key = this.#use.by?.(event) ?? ''
    this.#take({ kind: 'event', event: event.time === time ? event : { ...event, time }, key })
  }

  complete(): void {
    const engine = this.#engine
    if (this.#use.flush) while (engine.due < Infinity) this.#put(engine.advance({ kind: 'time', time: engine.due }))
    this.#output.complete()
  }

  save(): readonly unknown[] | null {
    const { keys, waiting } = this.#engine.stats()
    if (keys === 0 && waiting === 0 && !this.#due.isSet) return null
    return [this.#engine.snapshot(), this.#due.save(), this.#free.save()]
  }

  #take(input: Parameters<Engine['advance']>[0]): void {
    this.#put(this.#engine.advance(input))
    const now = this.#output.now()
    const { due } = this.#engine
    const { timeouts } = this.#use
    const over = due === Infinity || timeouts ? (this.#engine.stats().horizon ?? Infinity) + this.#reach : Infinity
    const wake = timeouts ? Math.min(due, over) : due
    this.#due.set(wake, now)
    this.#free.set(wake === Infinity ? over : Infinity, now)
  }

  #put({ matches, timeouts }: Advance): void {
    for (const match of matches) this.#output.next(match)
    if (this.#use.timeouts) for (const timeout of timeouts) this.#output.next(timeout)
  }
}

/** A timer at a moment that moves on with nearly every event: it is left where it is, and looked at when it fires. */
class Alarm {
  readonly #timer: DurableTimer
  #at = Infinity

  constructor(timer: DurableTimer, saved: SavedTimer | 0 | undefined) {
    this.#timer = timer
    if (saved === undefined || saved === 0) return
    timer.startAs(saved)
    this.#at = saved[0]
  }

  get isSet(): boolean {
    return this.#timer.pending
  }

  /** @param at in ms; Infinity, or nothing to come: it is not needed */
  set(at: number, now: number): void {
    if (!(at > now && at < Infinity)) this.#timer.cancel()
    else if (!this.#timer.pending || at < this.#at) {
      this.#timer.start(at - now)
      this.#at = at
    }
  }

  save(): SavedTimer | 0 {
    return this.#timer.pending ? this.#timer.save() : 0
  }
}
