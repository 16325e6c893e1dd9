// A stream in memory, a clock that a test moves, and schedules that run on them in processes that a test ends.
import { z } from 'zod'
import type { StreamDeclaration } from '../../src/broker/define-stream.ts'
import { fault } from '../../src/error/millrace-error.ts'
import { defineEvent } from '../../src/event/contract.ts'
import type { WireMessage } from '../../src/event/wire.ts'
import { silentLog } from '../../src/observe/log.ts'
import type { ScheduleStore } from '../../src/schedule/schedule-commits.ts'
import { defineSchedule } from '../../src/schedule/define-schedule.ts'
import type { ScheduleDeclaration, ScheduleOptions } from '../../src/schedule/schedule-options.ts'
import { ScheduleRun } from '../../src/schedule/schedule-run.ts'
import { VirtualClock } from '../support/virtual-clock.ts'

export const Due = defineEvent('report.due', { data: z.object({ at: z.string(), missed: z.number() }) })

export const STREAM = { name: 'S', root: 's', partitions: 1, replicas: 1 } as StreamDeclaration

/** Begins on a Monday. */
export const MONDAY = Date.parse('2026-03-02T00:00:00Z')
export const [SECOND, MINUTE, HOUR, DAY] = [1_000, 60_000, 3_600_000, 86_400_000]

/** A schedule whose events say their nominal time. */
export function schedule(options: Partial<ScheduleOptions<[typeof Due]>>): ScheduleDeclaration {
  const emits = ({ time, missed }: { time: string; missed: number }) => Due({ at: time, missed })
  return defineSchedule({ name: 'reports', stream: 'S', events: [Due], emits, ...options })
}

export class World {
  readonly clock: VirtualClock
  /** By how much the server’s clock is ahead of that. */
  skew = 0
  readonly events: WireMessage[] = []
  readonly letters = new Map<string, WireMessage>()
  readonly #records = new Map<string, { data: Uint8Array; sequence: number }>()
  #sequence = 0
  /** What becomes of the next writes: `refused` and `lost` are not stored, `unheard` is, without a receipt. */
  readonly faults: ('refused' | 'lost' | 'unheard' | undefined)[] = []
  #count = 0

  constructor(start = MONDAY) {
    this.clock = new VirtualClock(start)
  }

  /** Nominal times of what is stored, in order. */
  get stored(): readonly string[] {
    const at = ({ data }: WireMessage): string => (JSON.parse(Buffer.from(data).toString()) as { at: string }).at
    return this.events.map((event) => at(event).replace('.000Z', 'Z'))
  }

  store(name: string): ScheduleStore {
    return {
      read: () => Promise.resolve(this.#records.get(name)),
      write: async (messages, data, expected) => {
        await Promise.resolve()
        const what = this.faults.shift()
        if (what === 'refused') throw fault('STREAM_FULL', 'full')
        if (what === 'lost') throw fault('BROKER_TIMEOUT', 'lost on its way')
        if ((this.#records.get(name)?.sequence ?? 0) !== expected) throw fault('SEQUENCE_CONFLICT', name)
        this.events.push(...messages)
        const sequence = (this.#sequence += messages.length + 1)
        this.#records.set(name, { data, sequence })
        if (what === 'unheard') throw fault('BROKER_TIMEOUT', 'the receipt is lost')
        return sequence
      },
      time: () => this.clock.now() + this.skew,
      writeLetter: (letter) => {
        if (!this.letters.has(letter.subject)) this.letters.set(letter.subject, letter)
        return Promise.resolve()
      },
    }
  }

  /** A process takes the schedule. */
  async run(declaration: ScheduleDeclaration): Promise<ScheduleRun> {
    return ScheduleRun.start({
      declaration,
      stream: STREAM,
      store: this.store(declaration.name),
      clock: this.clock,
      log: silentLog,
      owner: `run ${(this.#count += 1)}`,
      maxPayload: 1_048_576,
    })
  }

  /** Runs it for so long, and ends its process. */
  async runFor(ms: number, declaration: ScheduleDeclaration): Promise<void> {
    const run = await this.run(declaration)
    await this.clock.pass(ms)
    await run.stop()
  }
}
