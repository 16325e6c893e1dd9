// A processor made for tests, once for every kind of memory: windows per machine that close by event time, steps whose
// results count, dead letters, and bursts of outputs. Its state per machine is plain data, so that the kinds of memory
// differ only in how it comes back.
import type { StreamDeclaration } from '../../src/broker/define-stream.ts'
import type { EventDraft, StoredEvent } from '../../src/event/event.ts'
import type { StepOutcome } from '../../src/kernel/decision.ts'
import { FNV_OFFSET, fnv1a } from '../../src/kernel/hash.ts'
import type {
  Advance,
  KeyedChange,
  KeyedEntry,
  Logic,
  Memory,
  MemoryKind,
  OnFailure,
  Processor,
  ReplayStart,
} from '../../src/kernel/processor.ts'
import type { StepRequest } from '../../src/kernel/step-request.ts'
import { High, Reading } from '../support/kill-fixture.ts'

/** A window is closed this long after its first event, and then again and again; in ms. */
const WINDOW = 100
/** A machine is forgotten this long after its last event. */
const IDLE = 250

/** What is remembered of a machine, as plain data. */
interface Slot {
  readonly machine: string
  /** Its first event: sequence, which one it was, and the time before it. */
  readonly born: { readonly sequence: number; readonly given: number; readonly time: number }
  count: number
  sum: number
  closes: number
  dies: number
  steps: readonly string[]
  cause: string
  hash: number
}

interface Basis {
  readonly time: number
}

export type Work = (id: string, signal: AbortSignal) => Promise<unknown>

export function windowProcessor(
  stream: StreamDeclaration,
  memory: MemoryKind,
  work: Work = async () => 1,
  fields: Partial<Processor> = {},
): Processor {
  return {
    kind: 'pipeline',
    name: `windows-${memory}`,
    version: '1',
    from: { stream, types: [Reading.type] },
    to: { stream },
    memory,
    start: (from) => new WindowLogic(memory, from, work),
    ...fields,
  }
}

class WindowLogic implements Logic {
  readonly #memory: MemoryKind
  readonly #work: Work
  readonly #slots = new Map<string, Slot>()
  readonly #changed = new Set<string>()
  #asked: string[] = []
  #time = 0
  #given = 0
  /** Put out by `advance`, for the turn that follows. */
  #early: EventDraft[] = []

  constructor(kind: MemoryKind, memory: Memory, work: Work) {
    this.#memory = kind
    this.#work = work
    if (memory.kind === 'fresh') return
    const { time } = (memory.kind === 'snapshot' ? memory.state : memory.basis) as Basis
    this.#time = time
    const slots = memory.kind === 'snapshot' ? (memory.state as { slots: Slot[] }).slots : []
    const entries = memory.kind === 'keyed' ? [...memory.entries].map(({ value }) => value as Slot) : slots
    for (const slot of entries) {
      this.#slots.set(slot.machine, { ...slot })
      this.#asked.push(...slot.steps)
    }
  }

  get #pending(): boolean {
    for (const { steps } of this.#slots.values()) if (steps.length > 0) return true
    return false
  }

  get due(): number {
    let due = Number.POSITIVE_INFINITY
    for (const { closes, dies } of this.#slots.values()) due = Math.min(due, closes, dies)
    return due
  }

  admits({ time }: StoredEvent): boolean {
    return !this.#pending || this.due > Math.max(this.#time, time)
  }

  advance(event: StoredEvent): Advance | undefined {
    if (isBroken(event)) return undefined
    const until = Math.max(this.#time, event.time)
    this.#early = this.#advance(until, true)
    if (!this.#pending || this.due > until) return undefined
    const outputs = this.#early
    this.#early = []
    return { time: this.#time, outputs }
  }

  turn(event: StoredEvent, onFailure: OnFailure): readonly EventDraft[] {
    const { machine, value } = event.data as { machine: string; value: number }
    this.#given += 1
    if (isBroken(event)) throw new Error('seventy-eight')
    const before = this.#time
    const drafts = [...this.#early, ...this.#advance(Math.max(before, event.time))]
    this.#early = []
    if (value === 77) {
      onFailure(new Error('seventy-seven'))
      return drafts
    }
    let slot = this.#slots.get(machine)
    if (slot === undefined) {
      const born = { sequence: event.sequence, given: this.#given, time: before }
      const zero = { count: 0, sum: 0, steps: [], cause: '', hash: FNV_OFFSET }
      slot = { machine, born, closes: this.#time + WINDOW, dies: 0, ...zero }
      this.#slots.set(machine, slot)
    }
    slot.count += 1
    slot.sum += value
    slot.dies = this.#time + IDLE
    slot.cause = event.id
    if (slot.count % 3 === 0) drafts.push(this.#emit(slot, slot.sum))
    if (value > 95) for (let n = 0; n < (value - 90) * 2; n++) drafts.push(this.#emit(slot, 10_000 + n))
    if (value % 5 === 0) this.#ask(slot, `${machine}-${event.sequence}`)
    this.#changed.add(machine)
    return drafts
  }

  tick(time: number): readonly EventDraft[] {
    return this.#advance(Math.max(this.#time, time))
  }

  settle(id: string, outcome: StepOutcome, onFailure: OnFailure): readonly EventDraft[] {
    const slot = [...this.#slots.values()].find(({ steps }) => steps.includes(id))
    if (slot === undefined) return []
    slot.steps = slot.steps.filter((step) => step !== id)
    this.#changed.add(slot.machine)
    if (!outcome.ok) {
      onFailure(new Error(outcome.error.message))
      return []
    }
    slot.sum += Number(outcome.value)
    return [this.#emit(slot, 20_000 + Number(outcome.value))]
  }

  takeSteps(): readonly StepRequest[] {
    const asked = this.#asked.filter((id) => [...this.#slots.values()].some(({ steps }) => steps.includes(id)))
    this.#asked = []
    return asked.map((id) => ({ id, name: 'work', run: this.#work, timeoutMs: 5_000, attempts: 1 }))
  }

  replayStart(): ReplayStart | undefined {
    let oldest: Slot['born'] | undefined
    for (const { born } of this.#slots.values()) if (born.given < (oldest?.given ?? Infinity)) oldest = born
    if (this.#memory !== 'replay' || oldest === undefined) return undefined
    const { sequence, given, time } = oldest
    return { sequence, events: this.#given - given + 1, basis: { time } }
  }

  get hash(): number {
    let hash = 0
    for (const slot of this.#slots.values()) hash ^= slot.hash
    return hash >>> 0
  }

  get basis(): Basis {
    return { time: this.#time }
  }

  takeChanges(): readonly KeyedChange[] {
    const changes = [...this.#changed].map((key) => ({ key, value: plain(this.#slots.get(key)) }))
    this.#changed.clear()
    return changes
  }

  *entries(): Iterable<KeyedEntry> {
    for (const [key, slot] of this.#slots) yield { key, value: plain(slot) }
  }

  snapshot(): unknown {
    return this.#memory === 'snapshot' ? { time: this.#time, slots: [...this.#slots.values()].map(plain) } : undefined
  }

  stop(): void {
    this.#slots.clear()
  }

  #ask(slot: Slot, id: string): void {
    slot.steps = [...slot.steps, id]
    this.#asked.push(id)
  }

  /**
   * Fires what is due, by time, then by machine: in an order that no history changes.
   * @param stops whether it stops where a step was asked for that the next would overtake
   */
  #advance(time: number, stops = false): EventDraft[] {
    const drafts: EventDraft[] = []
    for (let next = this.#next(time); next !== undefined; next = this.#next(time)) {
      // a tick fires everything of one time, so it is between two times that this stops
      if (stops && this.#pending && Math.min(next.closes, next.dies) > this.#time) return drafts
      this.#time = Math.max(this.#time, Math.min(next.closes, next.dies))
      this.#changed.add(next.machine)
      if (next.closes <= next.dies) {
        if (next.count % 2 === 0) this.#ask(next, `${next.machine}-at-${next.closes}`)
        next.closes += WINDOW
        drafts.push(this.#emit(next, 1_000 + next.count))
      } else {
        drafts.push(this.#emit(next, 2_000 + next.sum))
        this.#slots.delete(next.machine)
      }
    }
    this.#time = Math.max(this.#time, time)
    return drafts
  }

  #next(time: number): Slot | undefined {
    let next: Slot | undefined
    for (const slot of this.#slots.values())
      if (Math.min(slot.closes, slot.dies) <= time && (next === undefined || sooner(slot, next))) next = slot
    return next
  }

  #emit(slot: Slot, value: number): EventDraft {
    const data = { machine: slot.machine, value }
    slot.hash = fnv1a(slot.hash, Buffer.from(JSON.stringify(data)))
    return High(data, { time: this.#time, causationId: slot.cause, correlationId: slot.machine })
  }
}

function isBroken({ data }: StoredEvent): boolean {
  return (data as { value: number }).value === 78
}

function sooner(one: Slot, other: Slot): boolean {
  const [a, b] = [Math.min(one.closes, one.dies), Math.min(other.closes, other.dies)]
  return a === b ? one.machine < other.machine : a < b
}

function plain(slot: Slot | undefined): unknown {
  return slot === undefined ? undefined : { ...slot }
}
