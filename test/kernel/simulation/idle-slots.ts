// A processor of memory `replay`, by hand and as small as can be: each machine has a slot that counts its readings and
// ends when none has come for a while. A reading of 77 asks for a step, whose result is put out.
import type { StreamDeclaration } from '../../../src/broker/define-stream.ts'
import type { EventDraft, StoredEvent } from '../../../src/event/event.ts'
import type { StepOutcome } from '../../../src/kernel/decision.ts'
import type { Logic, Memory, Processor, ReplayStart } from '../../../src/kernel/processor.ts'
import type { StepRequest } from '../../../src/kernel/step-request.ts'
import { Alarm, High, Reading } from '../../support/kill-fixture.ts'

const IDLE = 100
/** Time before which nothing was stored. */
const NEVER = 0

interface Slot {
  readonly machine: string
  readonly birth: number
  readonly born: number
  readonly before: number
  /** Event time of its birth. */
  readonly at: number
  count: number
  last: number
  said: number
  readonly steps: Set<string>
}

export function idleSlots(stream: StreamDeclaration, mutation?: 'no basis' | 'late start'): Processor {
  return {
    kind: 'pipeline',
    name: 'slots',
    version: '1',
    from: { stream, types: [Reading.type] },
    to: { stream },
    memory: 'replay',
    start: (memory) => new IdleSlots(memory, mutation),
  }
}

class IdleSlots implements Logic {
  readonly #slots = new Map<string, Slot>()
  readonly #mutation: 'no basis' | 'late start' | undefined
  #time: number
  #events = 0
  #asked: string[] = []

  constructor(memory: Memory, mutation: 'no basis' | 'late start' | undefined) {
    this.#mutation = mutation
    this.#time = memory.kind === 'replay' && mutation !== 'no basis' ? (memory.basis as { time: number }).time : NEVER
  }

  turn(event: StoredEvent): readonly EventDraft[] {
    const { machine, value } = event.data as { machine: string; value: number }
    const before = this.#time
    const outputs = this.#moveTo(event.storedAt)
    this.#events += 1
    let slot = this.#slots.get(machine)
    if (slot === undefined) {
      slot = {
        machine,
        birth: event.sequence,
        born: this.#events,
        before,
        at: this.#time,
        count: 0,
        last: 0,
        said: 0,
        steps: new Set(),
      }
      this.#slots.set(machine, slot)
    }
    slot.count += 1
    slot.last = this.#time
    if (value === 77) this.#ask(slot, event.sequence)
    outputs.push(this.#say(slot, High({ machine, value: slot.count }, { time: this.#time })))
    return outputs
  }

  get due(): number {
    return Math.min(Infinity, ...[...this.#slots.values()].map(({ last }) => last + IDLE))
  }

  tick(time: number): readonly EventDraft[] {
    return this.#moveTo(time)
  }

  admits(event: StoredEvent): boolean {
    return event.storedAt < this.due || [...this.#slots.values()].every(({ steps }) => steps.size === 0)
  }

  settle(id: string, outcome: StepOutcome): readonly EventDraft[] {
    const slot = [...this.#slots.values()].find(({ steps }) => steps.has(id))
    if (slot === undefined) return []
    slot.steps.delete(id)
    const value = outcome.ok ? Number(outcome.value) : -1
    return [this.#say(slot, High({ machine: slot.machine, value }, { time: this.#time }))]
  }

  takeSteps(): readonly StepRequest[] {
    const asked = this.#asked
    this.#asked = []
    const open = asked.filter((id) => [...this.#slots.values()].some(({ steps }) => steps.has(id)))
    return open.map((id) => ({ id, name: 'score', run: async () => 5, timeoutMs: 1_000, attempts: 1 }))
  }

  replayStart(): ReplayStart | undefined {
    const [oldest] = [...this.#slots.values()].sort((one, other) => one.born - other.born)
    if (oldest === undefined) return undefined
    const late = this.#mutation === 'late start' && this.#events > oldest.born ? 1 : 0
    const { birth, born, before } = oldest
    return { sequence: birth + late, events: this.#events - born + 1 - late, basis: { time: before } }
  }

  get basis(): unknown {
    return { time: this.#time }
  }

  get hash(): number {
    return [...this.#slots.values()].reduce((hash, { said }) => (hash ^ said) >>> 0, 0)
  }

  stop(): void {
    this.#slots.clear()
  }

  #moveTo(time: number): EventDraft[] {
    const outputs: EventDraft[] = []
    for (let due = this.due; due <= time; due = this.due)
      for (const slot of this.#slots.values())
        if (slot.last + IDLE === due) {
          this.#slots.delete(slot.machine)
          const { machine, count, at } = slot
          outputs.push(Alarm({ machine, count, sum: at }, { time: due }))
          break
        }
    if (time > this.#time) this.#time = time
    return outputs
  }

  #ask(slot: Slot, sequence: number): void {
    const id = `${slot.birth}/${sequence}`
    slot.steps.add(id)
    this.#asked.push(id)
  }

  #say(slot: Slot, draft: EventDraft): EventDraft {
    slot.said = Math.imul(slot.said ^ JSON.stringify(draft.data).length, 31) + slot.count
    return draft
  }
}
