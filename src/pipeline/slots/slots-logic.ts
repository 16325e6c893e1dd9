// SlotsLogic
//
// A pipeline of any operators at work. Their state cannot be read, so it is made again: each key has a subscription of
// its own, a slot, whose life depends on the times of its events alone, and a replay from the first event of the oldest
// living slot makes every living one again.
//
//   kernel -> SlotsLogic:      turn(event), tick(time), settle(step)
//   SlotsLogic -> SlotIntake:  events, which come back in the order of event time
//   SlotIntake -> Slots:       events, and event time
//   Slots -> TurnScope:        what the pipeline puts out, or what is wrong with it
//
// Invariants (tests cite them):
//   S1  From `replayStart`, with its basis and the decisions since, it goes on as one that was never interrupted.
//   S2  Timers fire by time, before an event of that time, and in a turn only; a slot ends after the timers of its last
//       instant.
//   S3  Time does not pass a timer while a step is open.
//   S4  A slot that fails begins anew with its next event; what others put out in that turn stays.
import type { MillraceError } from '../../error/millrace-error.js'
import type { EventDraft, StoredEvent } from '../../event/event.js'
import type { StepOutcome } from '../../kernel/decision.js'
import type { Advance, Logic, Memory, OnFailure, ReplayStart } from '../../kernel/processor.js'
import type { StepRequest } from '../../kernel/step-request.js'
import { EventTimeScheduler } from '../../time/event-time-scheduler.js'
import type { PipelineDeclaration } from '../define-pipeline.js'
import { keyReader } from '../key-reader.js'
import { OutputCheck } from '../output-check.js'
import { TurnScope } from '../turn-scope.js'
import { fromBasis, Mark, toBasis, type Before, type Notices, type SlotsBasis } from './replay-marks.js'
import { slotIntake, type IntakeTarget, type SlotIntake } from './slot-intake.js'
import type { Lifetime } from './slot-table.js'
import { Slots } from './slots.js'

/** Timers fired in one turn from which on it counts as a storm. */
const STORM = 100_000

export class SlotsLogic implements Logic {
  readonly #scope: TurnScope
  readonly #slots: Slots
  readonly #intake: SlotIntake
  readonly #keyOf: (event: StoredEvent) => string
  readonly #check: OutputCheck
  /** Position up to which events are replayed. */
  readonly #until: number
  #turns = 0
  /** Place in its message of the event that is being handled. */
  #index = 0
  /** What stood before the message that is being handled, and its mark, once one was asked for. */
  #before: Before
  #mark: Mark | undefined
  #notices: Notices
  /** Told in `advance`, for the turn that follows. */
  #early: unknown[] = []

  /** @throws SNAPSHOT_INVALID */
  constructor(
    pipeline: PipelineDeclaration,
    lifetime: Lifetime,
    memory: Memory,
    onBroken: (error: MillraceError) => void,
  ) {
    const basis = memory.kind === 'replay' ? fromBasis(pipeline.name, memory.basis) : undefined
    this.#until = basis?.position ?? 0
    this.#notices = basis?.notices ?? {}
    this.#scope = new TurnScope(pipeline.name, new EventTimeScheduler(basis?.watermark), onBroken)
    this.#scope.sequence = this.#until
    this.#slots = new Slots(pipeline, this.#scope, lifetime)
    this.#slots.replaying = basis !== undefined
    this.#intake = slotIntake(pipeline.time, basis, this.#intakeTarget())
    this.#keyOf = keyReader(pipeline)
    this.#check = new OutputCheck(pipeline)
    this.#before = this.#now(0)
  }

  turn(event: StoredEvent, onFailure: OnFailure): readonly EventDraft[] {
    if (event.sequence > this.#until) this.#slots.replaying = false
    if (event.sequence === this.#before.sequence) this.#index += 1
    else {
      this.#index = 0
      this.#mark = undefined
      this.#before = this.#now(event.sequence)
    }
    this.#turns += 1
    this.#scope.sequence = event.sequence
    if (this.#early.length > 0) for (const error of this.#early.splice(0)) onFailure(error)
    this.#run(onFailure, this.#take, event)
    return this.#scope.takeOutputs()
  }

  /** Stream time from which a tick does something. Infinity while a step is open: time waits for it. */
  get due(): number {
    if (this.#slots.steps.size > 0) return Number.POSITIVE_INFINITY
    const next = this.#next()
    return next === Number.POSITIVE_INFINITY ? next : this.#intake.toStream(next)
  }

  tick(time: number, onFailure: OnFailure): readonly EventDraft[] {
    this.#run(onFailure, this.#pass, this.#intake.fromStream(time))
    return this.#scope.takeOutputs()
  }

  admits(event: StoredEvent): boolean {
    if (this.#slots.steps.size === 0) return true
    const next = this.#next()
    return next === Number.POSITIVE_INFINITY || next > this.#after(event)
  }

  advance(event: StoredEvent, onFailure: OnFailure): Advance | undefined {
    if (!this.#slots.maySteps || this.#next() === Number.POSITIVE_INFINITY) return undefined
    const until = this.#after(event)
    const reached = this.#approach(until)
    const failures = this.#early
    if (reached === undefined || this.#slots.steps.size === 0 || this.#next() > until) return undefined
    this.#early = []
    for (const error of failures) onFailure(error)
    return { time: this.#intake.toStream(reached), outputs: this.#scope.takeOutputs() }
  }

  settle(id: string, outcome: StepOutcome, onFailure: OnFailure): readonly EventDraft[] {
    this.#run(onFailure, this.#settle, { id, outcome })
    return this.#scope.takeOutputs()
  }

  /** To be called when a replay is over, and after turns. */
  takeSteps(): readonly StepRequest[] {
    this.#slots.replaying = false
    return this.#slots.steps.take()
  }

  replayStart(): ReplayStart | undefined {
    const oldest = this.#slots.marks.oldest?.before
    if (oldest === undefined) return undefined
    const basis = toBasis(oldest, this.#scope.sequence)
    return { sequence: oldest.sequence, events: this.#turns - oldest.turns, basis }
  }

  get basis(): SlotsBasis {
    return toBasis(this.#now(this.#scope.sequence), this.#scope.sequence)
  }

  get hash(): number {
    return this.#slots.hash
  }

  get notices(): Notices {
    return this.#notices
  }

  stop(): void {
    this.#scope.stop()
    this.#slots.stop()
  }

  /** Event time at which something happens if no event comes. */
  #next(): number {
    return Math.min(this.#slots.due, this.#intake.next)
  }

  readonly #take = (event: StoredEvent): void => {
    let key: string
    try {
      key = this.#keyOf(event)
    } catch (error) {
      return this.#scope.fail(error)
    }
    this.#scope.event = event
    this.#intake.offer({ event, key, index: this.#index })
    this.#scope.event = undefined
  }

  readonly #pass = (time: number): void => this.#intake.passTo(time)

  readonly #settle = ({ id, outcome }: { readonly id: string; readonly outcome: StepOutcome }): void => {
    if (this.#slots.steps.settle(id, outcome)) this.#scope.scheduler.drain()
  }

  #after(event: StoredEvent): number {
    try {
      return this.#intake.after(event)
    } catch {
      return Number.NEGATIVE_INFINITY // time.of threw: its turn will tell, and moves no time
    }
  }

  /** Goes from instant to instant until a step is open. @returns the last one, if there was any */
  #approach(until: number): number | undefined {
    let reached: number | undefined
    const go = (): void => {
      for (let next = this.#next(); next <= until && this.#slots.steps.size === 0; next = this.#next())
        this.#intake.passTo((reached = next))
    }
    this.#run((error) => void this.#early.push(error), go, undefined)
    return reached
  }

  #run<Argument>(onFailure: OnFailure, work: (argument: Argument) => void, argument: Argument): void {
    const { fired } = this.#scope.scheduler
    this.#scope.run(onFailure, work, argument)
    if (this.#scope.scheduler.fired - fired > STORM) this.#notice('timerFirings')
  }

  #notice(name: string): void {
    this.#notices = { ...this.#notices, [name]: (this.#notices[name] ?? 0) + 1 }
  }

  #now(sequence: number): Before {
    const { newest, stored } = this.#intake
    const watermark = this.#scope.scheduler.now()
    return { sequence, turns: this.#turns, watermark, newest, stored, notices: this.#notices }
  }

  #markHere = (): Mark => (this.#mark ??= new Mark(this.#before))

  #intakeTarget(): IntakeTarget {
    const slots = this.#slots
    return {
      now: () => this.#scope.scheduler.now(),
      moveTo: (time) => slots.moveTo(time),
      deliver: (arrived, mark) => slots.deliver(arrived, mark === undefined ? this.#markHere : () => mark),
      hold: () => slots.marks.hold(this.#markHere()),
      release: (mark) => slots.marks.release(mark),
      late: () => this.#notice('late'),
      emit: (draft) => {
        const problem = this.#check.problem(draft)
        if (problem === undefined) this.#scope.put(draft)
        else this.#scope.fail(problem)
      },
      fail: (error) => this.#scope.fail(error),
    }
  }
}
