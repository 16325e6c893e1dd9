// Random logs, what happens after each event (ticks, commits, crashes), and a logic that lives through it.
import * as fc from 'fast-check'
import { z } from 'zod'
import { defineEvent } from '../../../src/event/contract.ts'
import type { EventDraft, StoredEvent } from '../../../src/event/event.ts'
import type { Logic, Memory } from '../../../src/kernel/processor.ts'
import type { PipelineTime } from '../../../src/pipeline/pipeline-time.ts'
import { storedEvent } from '../../cep/stored-event.ts'
import { StoredState } from './stored-state.ts'

export const In = defineEvent('test.in', { data: z.object({ kind: z.number(), at: z.number() }) })
export const Out = defineEvent('test.out', { data: z.unknown() })

/** An event, and what happens after its turn. */
export interface Moment {
  readonly passed: number
  readonly key: string
  readonly kind: number
  readonly behind: number
  readonly next: 'nothing' | 'tick' | 'commit' | 'crash' | 'commit, crash'
  readonly slice: number
}

const moment: fc.Arbitrary<Moment> = fc.record({
  passed: fc.oneof(
    { weight: 3, arbitrary: fc.constant(0) },
    { weight: 8, arbitrary: fc.integer({ min: -3, max: 15 }) },
    { weight: 1, arbitrary: fc.integer({ min: 50, max: 400 }) },
  ),
  key: fc.constantFrom('a', 'b', 'c', '', '\0k', '__proto__', '9'),
  kind: fc.nat(50),
  behind: fc.integer({ min: 0, max: 40 }),
  next: fc.constantFrom('nothing', 'nothing', 'nothing', 'tick', 'commit', 'commit', 'crash', 'commit, crash'),
  slice: fc.constantFrom(0, 1, 3),
})

export const moments = fc.array(moment, { minLength: 5, maxLength: 60, size: 'max' })

/** Where event time may come from. */
export const times = fc.constantFrom<PipelineTime<StoredEvent>>(
  'ingestion',
  { of: ({ time }) => time, lateness: 20, late: 'drop' },
  { of: ({ time }) => time, lateness: 30 },
  { of: ({ time }) => time, lateness: 0, late: ({ id }) => Out(['late', id]) },
)

export function logOf(all: readonly Moment[]): StoredEvent[] {
  let time = 1_000
  return all.map(({ passed, key, kind, behind }, at) => {
    time += passed
    return storedEvent({
      type: In.type,
      data: { kind, at },
      key,
      id: `e${at}`,
      correlationId: at % 3 === 0 ? 'conversation' : undefined,
      time: time - behind,
      storedAt: time,
      sequence: at + 1,
    })
  })
}

/** Makes a logic of what was stored. */
export type Start = (memory: Memory) => Logic

/** What one turn led to, as text. @param expected failures that belong to the test */
function turn(logic: Logic, event: StoredEvent, { next }: Moment, expected: RegExp): string[] {
  const failures: string[] = []
  const fail = (error: unknown): void => void failures.push(String(error))
  const outputs: EventDraft[] = [...logic.turn(event, fail)]
  const { due = Infinity } = logic
  if (next === 'tick' && due < Infinity) outputs.push(...(logic.tick?.(due + 7, fail) ?? []))
  const strange = failures.find((text) => !expected.test(text))
  if (strange !== undefined) throw new Error(strange)
  return [...outputs.map((draft) => JSON.stringify(draft)), ...failures]
}

function uninterrupted(start: Start, log: readonly StoredEvent[], all: readonly Moment[], expected: RegExp): string[] {
  const logic = start({ kind: 'fresh' })
  return log.flatMap((event, at) => turn(logic, event, all[at] as Moment, expected))
}

function interrupted(
  start: Start,
  log: readonly StoredEvent[],
  all: readonly Moment[],
  expected: RegExp,
): { readonly outputs: string[]; readonly crashes: number } {
  const stored = new StoredState()
  const crashed = new Set<number>()
  const committed: string[] = []
  let position = 0
  let logic = start(stored.memory())
  let outputs: string[] = []
  for (let at = 0; at < log.length; at++) {
    const { next, slice } = all[at] as Moment
    outputs.push(...turn(logic, log[at] as StoredEvent, all[at] as Moment, expected))
    if (next.startsWith('commit') || at === log.length - 1) {
      stored.commit(logic, slice)
      committed.push(...outputs)
      outputs = []
      position = at + 1
    }
    if (!next.endsWith('crash') || crashed.has(at)) continue
    crashed.add(at)
    logic.stop()
    logic = start(stored.memory())
    outputs = []
    at = position - 1
  }
  return { outputs: committed, crashes: crashed.size }
}

/** What was tried. */
export interface Tried {
  crashes: number
  outputs: number
}

/** Fails when a logic that is crashed puts out something else than one that is not. */
export function compareInterrupted(starts: readonly [Start, Start], all: readonly Moment[], expected: RegExp): Tried {
  const log = logOf(all)
  const reference = uninterrupted(starts[0], log, all, expected)
  const { outputs, crashes } = interrupted(starts[1], log, all, expected)
  if (JSON.stringify(outputs) !== JSON.stringify(reference))
    throw new Error(`differs:\n${reference.join('\n')}\n--- was ---\n${outputs.join('\n')}`)
  return { crashes, outputs: reference.length }
}
