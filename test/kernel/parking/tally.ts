// A processor made for tests of parking, once for every kind of memory: it counts the events of each machine, and fails
// at those that are too hard until enough repairs have come.
import type { StreamDeclaration } from '../../../src/broker/define-stream.ts'
import type { EventDraft, StoredEvent } from '../../../src/event/event.ts'
import { FNV_OFFSET, fnv1a } from '../../../src/kernel/hash.ts'
import type {
  KeyedChange,
  KeyedEntry,
  Logic,
  Memory,
  MemoryKind,
  Processor,
  ReplayStart,
} from '../../../src/kernel/processor.ts'
import { Alarm, Reading } from '../../support/kill-fixture.ts'

/** The machine whose events repair. */
export const REPAIR = 'repair'

export interface Hardness {
  /** Repairs that it takes before the event can be handled. Default 0. */
  readonly hard?: number
  /** Whether the machine is forgotten with it. */
  readonly last?: boolean
}

/** The `number`th event of a machine, from 1. */
export function work(machine: string, number: number, { hard = 0, last = false }: Hardness = {}, time?: number) {
  const value = number * 100 + hard * 10 + (last ? 1 : 0)
  return Reading({ machine, value }, time === undefined ? {} : { time })
}

export function repair(time?: number) {
  return Reading({ machine: REPAIR, value: 0 }, time === undefined ? {} : { time })
}

/** Which event of its machine an output is of, and how many the machine had counted. */
export interface Effect {
  readonly machine: string
  readonly number: number
  readonly count: number
}

export function effectOf(data: Uint8Array): Effect {
  const { machine, count, sum } = JSON.parse(Buffer.from(data).toString()) as {
    machine: string
    count: number
    sum: number
  }
  return { machine, number: Math.floor(sum / 100), count }
}

/** Repairs of processors that remember nothing are known outside of them. */
export interface Repairs {
  count: number
}

export function tally(
  stream: StreamDeclaration,
  memory: MemoryKind,
  fields: Partial<Processor> = {},
  repairs: Repairs = { count: 0 },
): Processor {
  return {
    kind: 'pipeline',
    name: `tally-${memory}`,
    version: '1',
    from: { stream, types: [Reading.type] },
    to: { stream },
    memory,
    onPoison: 'park',
    start: (from) => new Tally(memory, from, repairs),
    ...fields,
  }
}

interface Counted {
  readonly count: number
  readonly hash: number
}

interface Slot extends Counted {
  count: number
  hash: number
  /** What stood before the message that it began with. */
  readonly born: { readonly sequence: number; readonly given: number; readonly repairs: number }
}

class Tally implements Logic {
  readonly #memory: MemoryKind
  readonly #repairs: Repairs
  readonly #slots = new Map<string, Slot>()
  readonly #changed = new Set<string>()
  #given = 0
  #before = { sequence: 0, given: 0, repairs: 0 }

  constructor(kind: MemoryKind, memory: Memory, repairs: Repairs) {
    this.#memory = kind
    this.#repairs = kind === 'none' ? repairs : { count: 0 }
    if (memory.kind === 'fresh') return
    if (memory.kind === 'snapshot') {
      const { repairs: count, slots } = memory.state as { repairs: number; slots: [string, Counted][] }
      this.#repairs.count = count
      for (const [machine, slot] of slots) this.#slots.set(machine, this.#restored(slot))
      return
    }
    this.#repairs.count = (memory.basis as { repairs: number } | null)?.repairs ?? 0
    if (memory.kind !== 'keyed') return
    for (const { key, value } of memory.entries) this.#slots.set(key, this.#restored(value as Counted))
  }

  #restored({ count, hash }: Counted): Slot {
    return { count, hash, born: this.#before }
  }

  turn({ data, sequence }: StoredEvent): readonly EventDraft[] {
    const { machine, value } = data as { machine: string; value: number }
    if (sequence !== this.#before.sequence)
      this.#before = { sequence, given: this.#given, repairs: this.#repairs.count }
    this.#given += 1
    if (machine === REPAIR) {
      if (this.#memory !== 'none') this.#repairs.count += 1
      return []
    }
    if (Math.floor(value / 10) % 10 > this.#repairs.count) throw new Error(`too hard: ${value}`)
    if (this.#memory === 'none') return [Alarm({ machine, count: 0, sum: value })]
    this.#changed.add(machine)
    const slot = this.#slots.get(machine) ?? { count: 0, hash: FNV_OFFSET, born: this.#before }
    slot.count += 1
    slot.hash = fnv1a(slot.hash, Buffer.from(`${machine} ${value} ${slot.count}`))
    if (value % 10 === 1) this.#slots.delete(machine)
    else this.#slots.set(machine, slot)
    return [Alarm({ machine, count: slot.count, sum: value })]
  }

  replayStart(): ReplayStart | undefined {
    if (this.#memory !== 'replay') return undefined
    const [oldest] = [...this.#slots.values()].map(({ born }) => born).sort((a, b) => a.sequence - b.sequence)
    if (oldest === undefined) return undefined
    const { sequence, given, repairs } = oldest
    return { sequence, events: this.#given - given, basis: { repairs } }
  }

  get hash(): number {
    let hash = 0
    for (const slot of this.#slots.values()) hash ^= slot.hash
    return hash >>> 0
  }

  get basis(): unknown {
    return { repairs: this.#repairs.count }
  }

  takeChanges(): readonly KeyedChange[] {
    const changes = [...this.#changed].map((key) => ({ key, value: this.#slots.get(key) }))
    this.#changed.clear()
    return changes.map(({ key, value }) => ({ key, value: value && counted(value) }))
  }

  *entries(): Generator<KeyedEntry> {
    for (const [key, value] of this.#slots) yield { key, value: counted(value) }
  }

  snapshot(): unknown {
    const slots = [...this.#slots].map(([machine, slot]) => [machine, counted(slot)])
    return this.#memory === 'none' ? undefined : { repairs: this.#repairs.count, slots }
  }

  stop(): void {}
}

/** Of a slot, what it is stored as: where it began counts only where it is replayed from. */
function counted({ count, hash }: Counted): Counted {
  return { count, hash }
}
