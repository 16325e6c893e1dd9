// A slots pipeline at work, fed by hand.
import type { Observable } from 'rxjs'
import { z } from 'zod'
import { defineEvent } from '../../../src/event/contract.ts'
import type { EventDraft, StoredEvent } from '../../../src/event/event.ts'
import { isFault, messageOf, type MillraceError } from '../../../src/error/millrace-error.ts'
import type { StepOutcome } from '../../../src/kernel/decision.ts'
import type { Memory } from '../../../src/kernel/processor.ts'
import type { StepRequest } from '../../../src/kernel/step-request.ts'
import {
  definePipeline,
  type InputOf,
  type PipelineDeclaration,
  type PipelineOptions,
} from '../../../src/pipeline/define-pipeline.ts'
import type { PipelineContext } from '../../../src/pipeline/pipeline-context.ts'
import { SlotsLogic } from '../../../src/pipeline/slots/slots-logic.ts'

export const Taken = defineEvent('reading.taken', { data: z.object({ k: z.string(), v: z.number() }), key: (d) => d.k })
export const Made = defineEvent('reading.made', { data: z.unknown() })

export type Input = InputOf<readonly [typeof Taken]>
export type Build = (events$: Observable<Input>, ctx: PipelineContext) => Observable<EventDraft>
export type Options = Partial<PipelineOptions<readonly [typeof Taken]>>

export function declare(pipeline: Build, options: Options = {}): PipelineDeclaration {
  return definePipeline({
    name: 'p',
    version: 1,
    from: { stream: 'T', events: [Taken] },
    to: { stream: 'U', events: [Made] },
    recovery: { mode: 'slots', idle: 1_000 },
    pipeline,
    ...options,
  })
}

export function reading(sequence: number, storedAt: number, k = 'a', v = sequence, fields: Partial<StoredEvent> = {}) {
  const base = { id: `e${sequence}`, source: '/test', type: 'reading.taken', version: 1, time: storedAt, key: k }
  const rest = { data: { k, v }, correlationId: undefined, causationId: undefined, attributes: {}, stream: 'T' }
  return { ...base, ...rest, sequence, storedAt, ...fields } satisfies StoredEvent
}

export class Rig {
  readonly logic: SlotsLogic
  readonly broken: MillraceError[] = []
  readonly failures: unknown[] = []
  drafts: EventDraft[] = []
  readonly #fail = (error: unknown): void => void this.failures.push(error)
  #sequence = 0

  constructor(pipeline: PipelineDeclaration, memory: Memory = { kind: 'fresh' }) {
    if (pipeline.recovery.mode !== 'slots') throw new Error('not in slots mode')
    this.logic = new SlotsLogic(pipeline, pipeline.recovery, memory, (error) => void this.broken.push(error))
  }

  /** An event of key `k` with value `v`, stored at `at`. Returns the data that came out. */
  give(at: number, k = 'a', v = this.#sequence + 1, fields: Partial<StoredEvent> = {}): unknown[] {
    const event = reading(fields.sequence ?? this.#sequence + 1, at, k, v, fields)
    this.#sequence = event.sequence
    return this.#put(this.logic.turn(event, this.#fail))
  }

  tick(time: number): unknown[] {
    return this.#put(this.logic.tick(time, this.#fail))
  }

  settle(id: string, outcome: StepOutcome): unknown[] {
    return this.#put(this.logic.settle(id, outcome, this.#fail))
  }

  succeed({ id }: StepRequest, value: unknown): unknown[] {
    return this.settle(id, { ok: true, value })
  }

  /** What the next event would be, without giving it. */
  ahead(at: number, k = 'a'): StoredEvent {
    return reading(this.#sequence + 1, at, k)
  }

  get reasons(): string[] {
    return this.failures.map((error) => (isFault(error) ? `${error.code}: ${error.detail}` : messageOf(error)))
  }

  #put(drafts: readonly EventDraft[]): unknown[] {
    this.drafts.push(...drafts)
    return drafts.map(({ data }) => data)
  }
}

export function thrown(action: () => unknown): MillraceError {
  try {
    action()
  } catch (error) {
    if (isFault(error)) return error
    throw error
  }
  throw new Error('nothing was thrown')
}
