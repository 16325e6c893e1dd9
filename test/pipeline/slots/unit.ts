// A unit of a slots pipeline, driven as the kernel drives one, with its commits, its crashes and its journal; and the
// run that is never interrupted, to which it is compared.
import type { StepOutcome } from '../../../src/kernel/decision.ts'
import type { JournalEntry } from '../../../src/kernel/decision.ts'
import type { ReplayStart } from '../../../src/kernel/processor.ts'
import type { StepRequest } from '../../../src/kernel/step-request.ts'
import { messageOf } from '../../../src/error/millrace-error.ts'
import type { EventDraft, StoredEvent } from '../../../src/event/event.ts'
import type { PipelineDeclaration } from '../../../src/pipeline/define-pipeline.ts'
import { SlotsLogic } from '../../../src/pipeline/slots/slots-logic.ts'

/** The events of one message. */
export type Message = readonly StoredEvent[]

/** What is left out of the protocol on purpose: a suite that does not notice is worth nothing. */
export type Mutation = 'from R+1' | 'from R-1' | 'no watermark' | 'no journal'

interface Commit {
  readonly position: number
  readonly replay: ReplayStart | undefined
  readonly basis: unknown
  readonly hash: number
  readonly journal: number
}

/** An output or a failure, as it can be compared. */
export type Result = string

export function resultOf({ type, key, time, data, correlationId, causationId }: EventDraft): Result {
  return JSON.stringify([type, key, time, data, correlationId, causationId])
}

export function start(pipeline: PipelineDeclaration, basis?: unknown): SlotsLogic {
  if (pipeline.recovery.mode !== 'slots') throw new Error('not in slots mode')
  const memory = basis === undefined ? ({ kind: 'fresh' } as const) : ({ kind: 'replay', basis, origin: 0 } as const)
  return new SlotsLogic(pipeline, pipeline.recovery, memory, (error) => {
    throw error
  })
}

export class Unit {
  readonly #pipeline: PipelineDeclaration
  readonly #log: readonly Message[]
  readonly #mutation: Mutation | undefined
  logic: SlotsLogic
  /** Every decision since ever, those of lost turns not included. */
  journal: JournalEntry[] = []
  /** What was committed. */
  readonly stored: Result[] = []
  /** Steps that are asked for and have no result yet. */
  open: StepRequest[] = []
  crashes = 0
  replayed = 0
  position = 0
  #fresh: Result[] = []
  #commit: Commit = { position: 0, replay: undefined, basis: undefined, hash: 0, journal: 0 }

  constructor(pipeline: PipelineDeclaration, log: readonly Message[], mutation?: Mutation) {
    this.#pipeline = pipeline
    this.#log = log
    this.#mutation = mutation
    this.logic = start(pipeline)
  }

  /** The message that comes next; undefined at the end. */
  get next(): Message | undefined {
    return this.#log.find((message) => sequenceOf(message) > this.position)
  }

  /** Takes the next message, if it may. Returns false when it has to wait for a step. */
  take(message: Message): boolean {
    for (const event of message) if (!this.logic.admits(event)) return false
    const early = message[0] === undefined ? undefined : this.logic.advance(message[0], this.#fail)
    if (early !== undefined) {
      this.#decide({ kind: 'tick', time: early.time, after: this.position }, early.outputs)
      return false
    }
    this.#turn(message)
    this.#takeSteps()
    return true
  }

  /** Lets time pass up to `limit` of the stream’s clock. */
  tick(limit: number): void {
    for (let ticks = 0; ticks < 3 && this.logic.due <= limit; ticks++) {
      const time = this.logic.due
      this.#decide({ kind: 'tick', time, after: this.position }, this.logic.tick(time, this.#fail))
    }
  }

  settle(at: number, outcome: StepOutcome): void {
    const [request] = this.open.splice(at, 1)
    if (request === undefined) return
    const { id } = request
    const waited = request.signal?.aborted !== true
    if (!waited) return
    this.#decide({ kind: 'step', id, outcome, after: this.position }, this.logic.settle(id, outcome, this.#fail))
  }

  commit(): void {
    this.stored.push(...this.#fresh.splice(0))
    const replay = this.logic.replayStart()
    this.#commit = {
      position: this.position,
      replay: plain(replay),
      basis: plain(replay === undefined ? this.logic.basis : replay.basis),
      hash: this.logic.hash,
      journal: this.journal.length,
    }
  }

  crash(): void {
    const { position, replay, basis, hash, journal } = this.#commit
    this.crashes += 1
    this.logic.stop()
    this.#fresh = []
    this.open = []
    this.journal.length = journal
    this.position = position
    const from = replay?.sequence ?? position + 1
    this.logic = start(this.#pipeline, this.#mutated(basis))
    this.#replay(from, position)
    if (this.logic.hash !== hash) throw new Error(`the hash after a replay from ${from} to ${position} is another one`)
    this.#fresh = []
    this.#takeSteps()
  }

  #mutated(basis: unknown): unknown {
    return this.#mutation === 'no watermark' && basis !== undefined
      ? { ...(basis as object), watermark: null, newest: null }
      : basis
  }

  #replay(needed: number, position: number): void {
    const at = this.#log.findIndex((message) => sequenceOf(message) >= needed)
    const first = this.#mutation === 'from R+1' ? at + 1 : this.#mutation === 'from R-1' ? Math.max(0, at - 1) : at
    const journal = this.#mutation === 'no journal' ? [] : merged(this.journal.filter(({ after }) => after >= needed))
    let given = 0
    for (const message of at < 0 ? [] : this.#log.slice(first)) {
      const sequence = sequenceOf(message)
      if (sequence > position) break
      given += message.length
      this.position = sequence
      for (const event of message) this.logic.turn(event, ignore)
      this.#redo(journal.filter(({ after }) => after === sequence))
    }
    if (at < 0 || needed > position) this.#redo(journal)
    this.position = position
    this.replayed += given
    const expected = this.#commit.replay?.events ?? 0
    if (this.#mutation === undefined && given !== expected) throw new Error(`${given} events, not ${expected}`)
  }

  #redo(journal: readonly JournalEntry[]): void {
    for (const entry of journal) redo(this.logic, entry, ignore)
  }

  #turn(message: Message): void {
    this.position = sequenceOf(message)
    for (const event of message) this.#put(this.logic.turn(event, this.#fail))
  }

  #decide(entry: JournalEntry, outputs: readonly EventDraft[]): void {
    this.journal.push(entry)
    this.#put(outputs)
    this.#takeSteps()
  }

  #takeSteps(): void {
    // through JSON, for what is not in the request itself must not matter
    this.open.push(...this.logic.takeSteps())
  }

  #put(outputs: readonly EventDraft[]): void {
    for (const output of outputs) this.#fresh.push(resultOf(output))
  }

  readonly #fail = (error: unknown): void => void this.#fresh.push(failureOf(error))
}

/** What the log and the decisions lead to when nothing interrupts it. */
export function uninterrupted(
  pipeline: PipelineDeclaration,
  log: readonly Message[],
  journal: readonly JournalEntry[],
): readonly Result[] {
  const logic = start(pipeline)
  const results: Result[] = []
  const fail = (error: unknown): void => void results.push(failureOf(error))
  const put = (outputs: readonly EventDraft[]): void => void results.push(...outputs.map(resultOf))
  for (const entry of journal) if (entry.after === 0) put(redo(logic, entry, fail))
  let at = 0
  for (const message of log) {
    const sequence = sequenceOf(message)
    for (const event of message) put(logic.turn(event, fail))
    while (at < journal.length && (journal[at]?.after ?? 0) < sequence) at += 1
    for (; journal[at]?.after === sequence; at++) put(redo(logic, journal[at] as JournalEntry, fail))
  }
  logic.stop()
  return results
}

function redo(logic: SlotsLogic, entry: JournalEntry, fail: (error: unknown) => void): readonly EventDraft[] {
  if (entry.kind === 'tick') return logic.tick(entry.time, fail)
  return entry.kind === 'step' ? logic.settle(entry.id, entry.outcome, fail) : []
}

/** Ticks that follow each other at one position are one. */
function merged(journal: readonly JournalEntry[]): JournalEntry[] {
  return journal.filter((entry, at) => {
    const next = journal[at + 1]
    return !(entry.kind === 'tick' && next?.kind === 'tick' && next.after === entry.after)
  })
}

function sequenceOf(message: Message): number {
  return message[0]?.sequence ?? 0
}

function failureOf(error: unknown): Result {
  return `failed: ${messageOf(error)}`
}

function plain<T>(value: T): T {
  return value === undefined ? value : (JSON.parse(JSON.stringify(value)) as T)
}

function ignore(): void {
  // what fails in a replay was told before
}
