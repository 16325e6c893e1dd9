import { Subscriber } from 'rxjs'
import { fault, isFault, messageOf } from '../../error/millrace-error.js'
import type { EventDraft } from '../../event/event.js'
import { trimSubscription } from '../../time/trim-subscription.js'
import type { PipelineDeclaration } from '../define-pipeline.js'
import { DurableOps } from '../ops/durable-ops.js'
import { schedulerTimers } from '../ops/durable-timer.js'
import { OutputCheck } from '../output-check.js'
import type { TurnScope } from '../turn-scope.js'
import { OpenSteps } from './open-steps.js'
import { OutputHash } from './output-hash.js'
import { ReplayMarks, type Mark } from './replay-marks.js'
import { SlotContext, type ContextParts } from './slot-context.js'
import { SlotInput } from './slot-input.js'
import type { Arrived } from './slot-intake.js'
import { outputOf } from './slot-output.js'
import { SlotTable, type Lifetime } from './slot-table.js'
import { Slot, type SlotTarget } from './slot.js'

/** Slots beyond which each new one gives back the room that it does not need: of fewer it is not worth the time. */
const ROOMY = 4_096

/** The slots of a pipeline at work: gives events to them and ends them in event time, takes what they put out. */
export class Slots implements SlotTarget {
  readonly steps: OpenSteps
  readonly marks = new ReplayMarks()
  /** Whether steps can be asked for at all. */
  readonly maySteps: boolean
  readonly #pipeline: PipelineDeclaration
  readonly #scope: TurnScope
  readonly #table: SlotTable
  readonly #check: OutputCheck
  readonly #parts: ContextParts
  /** Whose event is being handed over. */
  #delivering:
    { readonly slot: Slot; readonly arrived: Arrived; readonly outputs: number; readonly hash: number } | undefined
  readonly #hash = new OutputHash()
  /** A replay is going on: what fails in it did so in slots that had gone by the time of the commit. */
  replaying = false

  constructor(pipeline: PipelineDeclaration, scope: TurnScope, lifetime: Lifetime) {
    this.#pipeline = pipeline
    this.maySteps = pipeline.build.length !== 1 // one of the events alone names no ctx
    this.#scope = scope
    this.#table = new SlotTable(lifetime)
    this.#check = new OutputCheck(pipeline)
    this.steps = new OpenSteps({
      assertTurn: (what) => {
        if (!scope.inTurn) scope.breakOutside({ kind: 'step', name: what }, undefined)
      },
    })
    const seed = `${pipeline.name}\0${pipeline.version}`
    const ops = new DurableOps({ timers: schedulerTimers(scope.scheduler), scope: undefined })
    const refuse = this.maySteps ? undefined : (step: string) => this.#refuse(step)
    this.#parts = { scheduler: scope.scheduler, ops, steps: this.steps, refuse, seed }
    scope.scheduler.onError = (error) => this.#fail(error, 'a timer')
  }

  /** Over what each living slot has put out; the order of slots does not matter. */
  get hash(): number {
    return this.#hash.value
  }

  /** Event time at which the next timer fires or the next slot ends; Infinity: never. */
  get due(): number {
    return Math.min(this.#scope.scheduler.nextDue, this.#table.due)
  }

  /** Moves event time, fires timers and ends slots that are due. */
  moveTo(time: number): void {
    const { scheduler } = this.#scope
    for (let due = this.#table.due; due <= time; due = this.#table.due) {
      scheduler.advanceTo(due)
      for (let slot = this.#table.takeEnded(due); slot !== undefined; slot = this.#table.takeEnded(due))
        this.#bury(slot)
      for (let slot = this.#table.takeEnding(due); slot !== undefined; slot = this.#table.takeEnding(due)) {
        const { input } = slot
        slot.input = undefined
        input?.complete()
      }
      scheduler.drain()
    }
    scheduler.advanceTo(time)
  }

  /** Gives an event to its slot, now. @param mark makes that of its message */
  deliver(arrived: Arrived, mark: () => Mark): void {
    const { event, key, index } = arrived
    const time = this.#scope.scheduler.now()
    let slot = this.#table.get(key)
    if (slot === undefined) {
      slot = new Slot(this, key, event, index, time, this.marks.hold(mark()))
      this.#table.add(slot)
    } else {
      slot.correlationId = event.correlationId ?? event.id
      slot.causationId = event.id
      this.#table.touch(slot, time)
      if (event.sequence < slot.mark.before.sequence) this.#backdate(slot, mark())
    }
    if (this.#pipeline.onError === 'park') this.#hash.settle(slot)
    this.#delivering = { slot, arrived, outputs: this.#scope.count, hash: slot.hash }
    if (!slot.completed) {
      if (slot.input === undefined) this.#subscribe(slot)
      slot.input?.next(event)
    }
    this.#scope.scheduler.drain()
    this.#delivering = undefined
  }

  emitted(slot: Slot, draft: EventDraft): void {
    const scope = this.#scope
    if (scope.over) return
    if (!scope.inTurn) return scope.breakOutside({ kind: 'output', draft }, slot.key)
    const problem = this.#check.problem(draft)
    if (problem !== undefined) return scope.fail(problem)
    const output = outputOf(slot, draft, scope.scheduler.now())
    try {
      this.#hash.add(slot, output)
    } catch (cause) {
      const detail = `${this.#pipeline.name} put out ${output.type}, whose data has no JSON: ${messageOf(cause)}`
      return scope.fail(fault('OUTPUT_INVALID', detail, { cause }))
    }
    scope.put(output)
  }

  failed(slot: Slot, error: unknown): void {
    const scope = this.#scope
    if (scope.over) return
    if (!scope.inTurn) return scope.breakOutside({ kind: 'error', error }, slot.key)
    const { arrived } = this.#delivering?.slot === slot ? (this.#delivering ?? {}) : {}
    const key = `key ${JSON.stringify(slot.key)}`
    if (arrived === undefined) return this.#fail(error, `${key}, in a timer or at the end of a step or of the slot`)
    const { event } = arrived
    // the dead letter is of the message that is being handled: an event that had waited is not it
    if (event === scope.event) this.#poison(slot, error, key)
    else this.#fail(error, `${key}, at ${event.type} ${event.id} of sequence ${event.sequence}`)
  }

  completed(slot: Slot): void {
    const scope = this.#scope
    if (!scope.over && !scope.inTurn) scope.breakOutside({ kind: 'completion' }, slot.key)
  }

  stop(): void {
    this.steps.stop()
    for (const slot of this.#table.all()) slot.subscription?.unsubscribe()
  }

  #subscribe(slot: Slot): void {
    const input = (slot.input = new SlotInput())
    try {
      slot.context ??= new SlotContext(this.#parts, slot)
      // a subscriber of its own: the one that rxjs makes for an observer has a second object, against one that throws
      slot.subscription = this.#pipeline.build(input, slot.context).subscribe(new Subscriber(slot))
      if (this.#table.size > ROOMY) trimSubscription(slot.subscription)
    } catch (error) {
      slot.error(error) // building it failed
    }
  }

  #bury(slot: Slot): void {
    this.#hash.remove(slot)
    this.marks.release(slot.mark)
    try {
      slot.subscription?.unsubscribe()
    } catch (error) {
      this.failed(slot, error) // a finalizer threw
    }
    slot.subscription = slot.context = undefined // the slot itself is kept for a while by the table
  }

  #refuse(step: string): never {
    const why = 'its function names no ctx (one with a default, or in arguments, cannot be seen)'
    const error = fault('STEP_UNAVAILABLE', `${this.#pipeline.name}: step ${step}: ${why}: write (events$, ctx) =>`)
    this.#scope.break(error) // also where the pipeline catches it
    throw error
  }

  #backdate(slot: Slot, mark: Mark): void {
    this.marks.hold(mark)
    this.marks.release(slot.mark)
    slot.mark = mark
  }

  /** The event of the turn has failed. One that comes again must have left nothing behind. */
  #poison(slot: Slot, error: unknown, where: string): void {
    const crash = isFault(error) && error.disposition === 'crash'
    if (crash || this.#pipeline.onError !== 'park') return this.#fail(error, undefined, where)
    const { outputs = 0, hash = 0 } = this.#delivering ?? {}
    this.#scope.cut(outputs)
    this.#hash.restore(slot, hash)
    this.#scope.fail(error, true)
  }

  /** @param elsewhere where it happened, when that is not the event of the turn */
  #fail(error: unknown, elsewhere: string | undefined, where = elsewhere): void {
    const scope = this.#scope
    if (isFault(error) && error.disposition === 'crash') return scope.break(error)
    const detail = `${where} at ${scope.scheduler.now()}: ${messageOf(error)}`
    if (this.#pipeline.onError !== 'stop')
      return scope.fail(elsewhere === undefined ? error : fault('SLOT_FAILED', detail, { cause: error }))
    if (this.replaying) return
    const place = `${this.#pipeline.name} in the turn of sequence ${scope.sequence}`
    scope.break(fault('PIPELINE_FAILED', `${place}: ${detail}`, { cause: error }))
  }
}
