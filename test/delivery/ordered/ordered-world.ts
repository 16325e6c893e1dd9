// One unit of an ordered handler over a log in memory: what begins, in which order, and what is stored.
import type { StoredMessage } from '../../../src/broker/stored-message.ts'
import { defineStream } from '../../../src/broker/define-stream.ts'
import { workStream } from '../../../src/broker/work-stream.ts'
import { defineHandler } from '../../../src/delivery/define-handler.ts'
import { emittedText, type AttemptOutcome } from '../../../src/delivery/ordered/attempt-outcome.ts'
import type { OpenEvent } from '../../../src/delivery/ordered/open-event.ts'
import { orderedProcessor } from '../../../src/delivery/ordered/ordered-processor.ts'
import { completeDraft } from '../../../src/event/complete.ts'
import { encodeEvent } from '../../../src/event/encode.ts'
import type { Processor } from '../../../src/kernel/processor.ts'
import { SimulatedUnit } from '../../../src/kernel/simulation/simulated-unit.ts'
import type { StepOutcome } from '../../../src/kernel/decision.ts'
import { Asked, Done, registry } from '../running-handlers.ts'

const stream = defineStream({ name: 'LINES', root: 'lines', partitions: 1 })
const T0 = Date.UTC(2026, 0, 1)

export interface Effect {
  readonly n: number
  readonly key: string
  readonly attempt: number
}

/** Which outcome an attempt has. */
export type Luck = (n: number, attempt: number) => 'done' | 'later' | 'dead'

export class OrderedWorld {
  /** Attempts, in the order in which they began. */
  readonly effects: Effect[] = []
  /** Numbers of events whose dead letter was stored. */
  readonly dead = new Set<number>()
  readonly log: StoredMessage[] = []
  /** What was emitted, as it is stored. */
  readonly stored: { readonly n: number; readonly key: string }[] = []
  unit: SimulatedUnit
  readonly #processor: Processor
  readonly #luck: Luck
  /** Attempts that have begun, and have not ended for the unit: by step. */
  #begun = new Map<string, StepOutcome>()

  constructor(luck: Luck, processorOf: typeof orderedProcessor = orderedProcessor) {
    this.#luck = luck
    this.#processor = processorOf({
      declaration: defineHandler({
        name: 'lines',
        on: { stream: stream.name, events: [Asked] },
        order: 'key',
        emits: { stream: stream.name, events: [Done] },
        handle: () => undefined,
      }),
      stream,
      work: workStream(stream),
      emitsTo: stream,
      registry,
      run: (open) => Promise.resolve(this.#attempt(open)),
    })
    this.unit = new SimulatedUnit({ processor: this.#processor, registry, partition: '0', log: this.log })
  }

  give(key: string): void {
    const sequence = this.log.length + 1
    const storedAt = T0 + sequence * 1_000
    const event = completeDraft(Asked({ n: sequence, key }), { id: `e${sequence}`, source: '/test', time: storedAt })
    const { headers, data } = encodeEvent(event)
    const lower = headers.map(([name, value]) => [name.toLowerCase(), value] as const)
    const reader = {
      get: (name: string) => lower.find(([own]) => own === name.toLowerCase())?.[1],
      entries: () => headers,
    }
    const more = { delivery: 1, pending: 0, reply: '' }
    this.log.push({ subject: 'lines.0.thing.asked', sequence, storedAt, headers: reader, data, ...more })
  }

  /** Handles the next message of the log. */
  handle(): void {
    const message = this.log[this.unit.sequence]
    if (message !== undefined) this.unit.handle(message)
  }

  /** Steps that may begin. */
  get ready(): readonly string[] {
    return this.unit.steps.map(({ id }) => id).filter((id) => !this.#begun.has(id))
  }

  /** Begins one of them: its effect is made. */
  async begin(which: number): Promise<void> {
    const ready = this.ready
    const step = this.unit.steps.find(({ id }) => id === ready[which % Math.max(1, ready.length)])
    if (step === undefined) return
    const value = await step.run(step.id, new AbortController().signal)
    this.#begun.set(step.id, { ok: true, value: JSON.parse(JSON.stringify(value)) as unknown })
  }

  /** One that has begun ends. */
  end(which: number): void {
    const begun = [...this.#begun]
    const [id, outcome] = begun[which % Math.max(1, begun.length)] ?? []
    if (id === undefined || outcome === undefined) return
    this.#begun.delete(id)
    this.unit.decide({ kind: 'step', id, outcome })
  }

  commit(): void {
    for (const { data } of this.unit.commitAll())
      this.stored.push(JSON.parse(Buffer.from(data).toString()) as { n: number; key: string })
    // what was waiting for the commit is asked for now
    this.unit.decide({ kind: 'tick', time: 0 })
  }

  crash(): void {
    this.#begun = new Map()
    this.unit = this.unit.crash()
  }

  /** Until nothing is left to do. */
  async finish(): Promise<void> {
    for (let quiet = 0; quiet < 3; quiet++) {
      const before = this.effects.length + this.unit.sequence
      this.handle()
      this.commit()
      while (this.ready.length > 0) await this.begin(0)
      while (this.#begun.size > 0) this.end(0)
      this.commit()
      if (this.effects.length + this.unit.sequence !== before) quiet = -1
    }
  }

  #attempt({ event, record }: OpenEvent): AttemptOutcome {
    const { n, key } = event.data as { n: number; key: string }
    this.effects.push({ n, key, attempt: record.attempt })
    const luck = this.#luck(n, record.attempt)
    if (luck === 'later') return { k: 'later', at: T0, code: 'HANDLER_FAILED', due: 0 }
    if (luck === 'dead') {
      this.dead.add(n)
      return { k: 'dead', code: 'HANDLER_FAILED' }
    }
    const draft = completeDraft(Done({ n, key }), { id: `d${n}`, source: '/test', time: T0 })
    const { headers, data } = encodeEvent(draft)
    return { k: 'done', out: emittedText([{ subject: 'lines.x.thing.done', headers, data }]) }
  }
}
