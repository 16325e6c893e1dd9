import { fault, isFault, messageOf } from '../../error/millrace-error.js'
import type { EventDraft, StoredEvent } from '../../event/event.js'
import type { PipelineDeclaration } from '../define-pipeline.js'
import { causeAt, storedCause, withCause } from '../keyed/draft-cause.js'
import type { OutputCheck } from '../output-check.js'
import type { OutsideTurn } from '../outside-turn.js'
import type { KeyEntry } from './key-entry.js'
import { KeyTable } from './key-table.js'
import type { KeyTarget, LiveKey } from './live-key.js'
import { Probe } from './probe.js'

export interface KeysOptions {
  /** Each so many events a key gets a twin, brought back from what is stored, for some turns. 0: never. */
  readonly probeEvery: number
  /** For how many turns. */
  readonly probeFor: number
  /** Keys whose subscriptions stay in memory; others are brought back when they are used. */
  readonly awake: number
  /** Shapes of operators that are stored. */
  readonly shapes: readonly string[]
}

/** Who is told what comes of keys. */
export interface KeysTarget {
  put(draft: EventDraft): void
  /** A dead letter of the event of the turn. @param poison it is what failed, and nothing of it is left */
  fail(error: unknown, poison: boolean): void
  /** Something happened while no key was doing anything. */
  outside(happened: OutsideTurn, key: string): void
}

/** What one key is to do: handle an event, end its life, or fire what is due. */
interface What {
  readonly entry: KeyEntry
  readonly now: number
  /** Names it: the same whenever it is done. */
  readonly handled: string
  readonly event?: StoredEvent
  readonly last?: true
}

/** What one key is doing, and what came of it. */
interface Call extends What {
  readonly outputs: EventDraft[]
  failure: { readonly error: unknown } | undefined
}

/** Lets keys do things one at a time, and takes what comes of it. */
export class Keys implements KeyTarget {
  readonly table: KeyTable
  readonly #pipeline: PipelineDeclaration
  readonly #check: OutputCheck
  readonly #options: KeysOptions
  readonly #target: KeysTarget
  #call: Call | undefined
  #events = 0
  #probe: Probe | undefined

  constructor(pipeline: PipelineDeclaration, check: OutputCheck, options: KeysOptions, target: KeysTarget) {
    const idle = pipeline.recovery.mode === 'checkpoint' ? pipeline.recovery.idle : undefined
    this.table = new KeyTable(pipeline, this, { idle, awake: Math.max(1, options.awake), shapes: options.shapes })
    this.#pipeline = pipeline
    this.#check = check
    this.#options = options
    this.#target = target
  }

  /** Fires every timer that is due until `time`, and ends keys that are idle (Z2). */
  fire(time: number): void {
    for (let next = this.table.takeDue(time); next !== undefined; next = this.table.takeDue(time)) {
      const { entry, due: now, kind } = next
      const live = this.table.awaken(entry, now)
      const handled = `timer at ${now} after ${String(live.cause)}`
      if (kind === 'timer') this.#act(live, this.#begin({ entry, now, handled }))
      // what its operators hold has to come out before
      else if (live.scheduler.waiting > 0) this.table.putOff(entry, live)
      else {
        this.#act(live, this.#begin({ entry, now, handled, last: true }))
        this.table.forget(entry)
      }
    }
  }

  /** Gives an event to its key. @param own whether it is the event of the turn, and not one that had waited */
  offer(key: string, event: StoredEvent, now: number, own: boolean): void {
    const entry = this.table.entryOf(key)
    const known = entry.state !== undefined
    const call = this.#begin({ entry, now, handled: `${event.type} ${event.id} of ${event.source}`, event })
    let live: LiveKey
    try {
      live = this.table.awaken(entry, now) // what a new key puts out when it is subscribed to belongs to the event
    } catch (error) {
      this.#call = undefined
      return this.#restart(call, error, own)
    }
    live.lastTime = now
    live.cause = storedCause(event)
    if (known) this.#mayProbe(live)
    this.#act(live, call, own)
  }

  /** Nothing is going on: keys may go to sleep. */
  rest(): void {
    this.table.rest(this.#probe?.key)
  }

  stop(): void {
    this.#endProbe()
    this.table.stop()
  }

  emitted({ key }: LiveKey, draft: EventDraft): void {
    const call = this.#call
    if (call === undefined || call.entry.key !== key) return this.#target.outside({ kind: 'output', draft }, key)
    const problem = this.#check.problem(draft)
    if (problem === undefined) call.outputs.push(draft)
    else call.failure ??= { error: problem }
  }

  failed({ key }: LiveKey, error: unknown): void {
    const call = this.#call
    if (call === undefined || call.entry.key !== key) return this.#target.outside({ kind: 'error', error }, key)
    call.failure ??= { error }
  }

  #begin(what: What): Call {
    return (this.#call = { ...what, outputs: [], failure: undefined })
  }

  #act(live: LiveKey, call: Call, own = false): void {
    const { entry, now, handled, event, last } = call
    try {
      if (event !== undefined) live.offer(event, now, handled)
      else if (last === true) live.finish(now, handled)
      else live.moveTo(now, handled)
    } finally {
      this.#call = undefined
    }
    const refusal = live.scheduler.refusal
    if (refusal !== undefined) throw refusal
    if (live.passing !== undefined)
      throw fault('CHECKPOINT_OPERATOR_INSIDE', `${this.#pipeline.name}: ${live.passing}, ${handled}`)
    this.#compare(live, call)
    if (call.failure !== undefined) return this.#restart(call, call.failure.error, own)
    const cause = causeAt(now, live.cause)
    for (const draft of call.outputs) this.#target.put(withCause(draft, cause))
    if (last !== true) this.table.used(entry, live, event !== undefined)
  }

  #mayProbe(live: LiveKey): void {
    const { probeEvery, probeFor } = this.#options
    if (probeEvery === 0 || this.#probe !== undefined || ++this.#events % probeEvery !== 0) return
    this.#probe = new Probe(this.#pipeline, live, live.save(), probeFor)
  }

  #compare(live: LiveKey, { now, handled, event, last, outputs, failure }: Call): void {
    const probe = this.#probe
    if (probe === undefined || !probe.isOf(live)) return
    const outcome = { outputs, failed: failure !== undefined }
    if (event !== undefined) probe.offer(event, now, handled, outcome)
    else if (last === true) probe.finish(now, handled, outcome)
    else probe.moveTo(now, handled, outcome)
    if (probe.over || failure !== undefined) this.#endProbe()
  }

  #endProbe(): void {
    this.#probe?.end()
    this.#probe = undefined
  }

  /** A key has failed: it begins anew with its next event (Z4). */
  #restart({ entry, now, event }: Call, error: unknown, own: boolean): void {
    this.table.forget(entry)
    if (isFault(error) && error.disposition === 'crash') throw error
    const where = `${this.#pipeline.name}: key ${JSON.stringify(entry.key)} at ${now}`
    const what = event === undefined ? 'in a timer' : `at ${event.type} ${event.id} of sequence ${event.sequence}`
    const detail = `${where}, ${what}: ${messageOf(error)}`
    if (this.#pipeline.onError === 'stop') throw fault('PIPELINE_FAILED', detail, { cause: error })
    // the dead letter is of the event of the turn: one that had waited, or only made time pass, is not it
    this.#target.fail(own ? error : fault('SLOT_FAILED', detail, { cause: error }), own)
  }
}
