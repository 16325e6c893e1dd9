// An actor’s unit over a log in memory: what it stores, and an aggregate as the stored records say it, worked out without
// the code that is under test.
import type { StoredMessage } from '../../src/broker/stored-message.ts'
import { actorProcessor } from '../../src/actor/actor-processor.ts'
import type { ActorDeclaration } from '../../src/actor/actor-options.ts'
import type { AggregateFacts } from '../../src/actor/resident-aggregate.ts'
import type { LoadedAggregate } from '../../src/actor/aggregate-loads.ts'
import { commandStream } from '../../src/actor/command-stream.ts'
import type { CommandDraft } from '../../src/actor/define-command.ts'
import { recordStream } from '../../src/actor/record-stream.ts'
import { readAggregateSnapshot } from '../../src/actor/aggregate-snapshot.ts'
import { aggregateSnapshotSubject, storedRecordSubject } from '../../src/actor/aggregate-subject.ts'
import type { StateFrame } from '../../src/actor/state-frame.ts'
import { redriveSubject } from '../../src/broker/system-subject.ts'
import { passedOver, readParked, redriven } from '../../src/kernel/parking/park-message.ts'
import { defineStream } from '../../src/broker/define-stream.ts'
import type { EventContract } from '../../src/event/contract.ts'
import { encodeEvent } from '../../src/event/encode.ts'
import { completeDraft } from '../../src/event/complete.ts'
import { createRegistry, type Registry } from '../../src/event/registry.ts'
import type { WireMessage } from '../../src/event/wire.ts'
import { processorId, type Processor } from '../../src/kernel/processor.ts'
import { SimulatedUnit } from '../../src/kernel/simulation/simulated-unit.ts'

export const stream = recordStream(defineStream({ name: 'BANK', root: 'bank', partitions: 1 }))
export const commands = commandStream(defineStream({ name: 'BANK', root: 'bank', partitions: 1 }))
const T0 = Date.UTC(2026, 0, 1)

function readerOf(headers: WireMessage['headers']): StoredMessage['headers'] {
  const lower = headers.map(([name, value]) => [name.toLowerCase(), value] as const)
  return { get: (name) => lower.find(([own]) => own === name.toLowerCase())?.[1], entries: () => headers }
}

export interface StoredRecord {
  readonly version: number
  readonly decided: readonly { c: string; q: number; n: number; x?: { code: string } }[]
  readonly events: readonly { id: string; type: string; data: unknown; time: string }[]
  readonly frame: Record<string, unknown> | undefined
}

export class ActorWorld {
  readonly actor: ActorDeclaration
  readonly registry: Registry
  readonly processor: Processor
  readonly log: StoredMessage[] = []
  /** What was stored, in order. */
  readonly stored: WireMessage[] = []
  /** Ids whose state cannot be read, and why. */
  readonly unreadable = new Map<string, Error>()
  loads = 0
  unit: SimulatedUnit

  constructor(actor: ActorDeclaration, more: readonly EventContract[] = []) {
    this.actor = actor
    this.registry = createRegistry([...actor.commands, ...actor.events, ...more])
    this.processor = actorProcessor({
      actor,
      stream,
      commands,
      registry: this.registry,
      homeOf: (type) => (type.startsWith('nobody') ? undefined : commands),
      load: (id) => this.load(id),
    })
    this.unit = this.#start()
  }

  /** Adds a command to the log; its id is its place, unless it says one. */
  give(draft: CommandDraft, at = this.log.length): StoredMessage {
    const sequence = this.log.length + 1
    const storedAt = T0 + at * 1_000
    const event = completeDraft(draft, { id: `c${sequence}`, source: '/test', time: storedAt })
    const { headers, data } = encodeEvent(event)
    const message = this.#message(`${commands.root}.0.${draft.type}`, headers, data, storedAt)
    this.log.push(message)
    return message
  }

  #message(subject: string, headers: WireMessage['headers'], data: Uint8Array, storedAt: number): StoredMessage {
    const sequence = this.log.length + 1
    return { subject, sequence, storedAt, delivery: 1, pending: 0, reply: '', headers: readerOf(headers), data }
  }

  /** Handles what is in the log and not handled yet. */
  handle(until = this.log.length): void {
    for (const message of this.log.slice(0, until))
      if (message.sequence > this.unit.sequence && this.unit.handle(message) === undefined)
        throw new Error(`${message.sequence} had to wait`)
  }

  commit(): void {
    for (;;) {
      const commit = this.unit.commit()
      if (commit === undefined) return
      this.stored.push(...commit.outputs)
    }
  }

  /** Ends the unit where it stands and starts it from what is stored. */
  crash(): void {
    this.unit = this.unit.crash()
  }

  /** Runs the steps that are open, as `outcome` says. */
  settle(
    outcome: (input: string) => { ok: true; value: unknown } | { ok: false; error: { name: string; message: string } },
  ): void {
    for (const { id } of this.unit.steps) this.unit.decide({ kind: 'step', id, outcome: outcome(id) })
  }

  /** Gives back what is in the park. */
  redrive(): void {
    this.#giveBack((subject, parked) => redriven(subject, parked))
  }

  /** Leaves out what is in the park. */
  leaveOut(): void {
    this.#giveBack((subject, { headers }) => {
      const { parking = '', key = '', number = 0 } = readParked(headers) ?? {}
      return passedOver(subject, parking, key, number)
    })
  }

  #giveBack(back: (subject: string, parked: Pick<StoredMessage, 'headers' | 'data'>) => WireMessage): void {
    const subject = redriveSubject(commands.name, processorId(this.processor), '0')
    for (const { headers, data } of this.stored.filter(({ subject: own }) => own.includes('.park.'))) {
      const message = back(subject, { headers: readerOf(headers), data })
      this.log.push(this.#message(message.subject, message.headers, message.data, T0 + this.log.length * 1_000))
    }
    this.handle()
  }

  records(id: string): StoredRecord[] {
    const published = `${stream.root}.${id}.`
    return this.stored
      .filter(({ subject }) => subject.startsWith(published) && subject.includes('.millrace.aggregate.'))
      .map(({ headers, data }) => {
        const get = (name: string): string | undefined => headers.find(([own]) => own === name)?.[1]
        const frame = get('Millrace-State')
        return {
          version: Number(get('Millrace-Aggregate-Version')),
          decided: JSON.parse(get('Millrace-Decided') ?? '[]') as StoredRecord['decided'],
          events: JSON.parse(Buffer.from(data).toString()) as StoredRecord['events'],
          frame: frame === undefined ? undefined : (JSON.parse(frame) as Record<string, unknown>),
        }
      })
  }

  /** Its snapshots, in the order in which they were stored. */
  snapshots(id: string): StateFrame[] {
    const own = aggregateSnapshotSubject(stream.name, this.actor.name, id)
    return this.stored
      .filter(({ subject }) => subject === own)
      .map(({ headers, data }, at) => {
        const header = (name: string): string | undefined => readerOf(headers).get(name)
        return readAggregateSnapshot({ sequence: at + 1, storedAt: T0, data, header }, id)
      })
  }

  /** What an aggregate is, by its stored events. */
  load(id: string): LoadedAggregate {
    this.loads += 1
    const problem = this.unreadable.get(id)
    if (problem !== undefined) throw problem
    storedRecordSubject(stream, this.actor.name, id) // an id that can be none has no records
    const records = this.records(id)
    let state = this.actor.initial(id)
    for (const { events } of records)
      for (const event of events) state = this.actor.evolve.get(event.type)?.(state, event as never)
    const frame = records.at(-1)?.frame
    const facts: AggregateFacts = {
      version: records.at(-1)?.version ?? 0,
      state,
      remembered: frame?.['c'] as string | undefined,
      timers: frame?.['t'] as Record<string, string> | undefined,
      closed: frame?.['z'] === true,
      storedAt: Math.max(
        records.findLast((record) => record.frame !== undefined && 's' in record.frame)?.version ?? 0,
        this.snapshots(id).at(-1)?.v ?? 0,
      ),
    }
    return { facts, size: 300 }
  }

  #start(): SimulatedUnit {
    const { processor, registry, log } = this
    return new SimulatedUnit({ processor, registry, partition: '0', log })
  }
}
