// Keyed pipelines for tests: one kind of event in, one out, and what a turn of them leads to.
import { z } from 'zod'
import { defineEvent } from '../../../src/event/contract.ts'
import type { EventDraft, StoredEvent } from '../../../src/event/event.ts'
import type { Logic, Memory } from '../../../src/kernel/processor.ts'
import { defineKeyed, type KeyedDeclaration } from '../../../src/pipeline/define-keyed.ts'
import type { KeyedContext } from '../../../src/pipeline/keyed/keyed-context.ts'
import { KeyedLogic, type KeyedLogicOptions } from '../../../src/pipeline/keyed/keyed-logic.ts'
import { storedEvent } from '../../cep/stored-event.ts'

export const In = defineEvent('thing.seen', { data: z.object({ value: z.number() }) })
export const Out = defineEvent('thing.told', { data: z.unknown() })

// oxlint-disable-next-line typescript/no-explicit-any -- each test has a state of its own
export type Context = KeyedContext<any>

/** A declaration of which a test says what matters to it. */
export function keyed(parts: {
  readonly onEvent: (c: Context, event: StoredEvent<'thing.seen', { value: number }>) => unknown
  readonly onTimer?: (c: Context, name: string) => unknown
  readonly [option: string]: unknown
}): KeyedDeclaration {
  const from = { stream: 'T', events: [In] }
  const to = { stream: 'T', events: [Out] }
  return defineKeyed({ name: 'tested', version: 1, from, to, ...parts } as never)
}

let serial = 0

/** An event of `key` that was stored, and happened, at `time`. */
export function seen(key: string, time: number, value = 0, fields: Partial<StoredEvent> = {}): StoredEvent {
  serial += 1
  return storedEvent({
    type: In.type,
    key,
    time,
    storedAt: time,
    data: { value },
    id: `e${serial}`,
    sequence: serial,
    ...fields,
  })
}

/** A logic that notes what it fails with. */
export class Running {
  readonly logic: KeyedLogic
  readonly failures: unknown[] = []
  readonly #note = (error: unknown): void => void this.failures.push(error)

  constructor(declaration: KeyedDeclaration, memory: Memory = { kind: 'fresh' }, options: KeyedLogicOptions = {}) {
    this.logic = new KeyedLogic(declaration, memory, options)
  }

  /** Drafts of one turn. */
  drafts(event: StoredEvent): readonly EventDraft[] {
    return this.logic.turn(event, this.#note)
  }

  /** Data of what comes out of turns, one after the other. */
  turn(...events: readonly StoredEvent[]): unknown[] {
    return events.flatMap((event) => this.drafts(event).map(({ data }) => data))
  }

  tick(time: number): unknown[] {
    return this.logic.tick(time, this.#note).map(({ data }) => data)
  }

  messages(): string[] {
    return this.failures.map(String)
  }
}

/** What a logic comes back with after everything so far was stored. */
export function storedMemory(
  logic: Logic,
  ...more: readonly { readonly key: string; readonly value: unknown }[]
): Memory {
  logic.takeChanges?.()
  const entries = [...(logic.entries?.() ?? []), ...more]
  return JSON.parse(JSON.stringify({ kind: 'keyed', basis: logic.basis, entries, version: '1' })) as Memory
}
