// Random handlers over random logs, crashed anywhere, against the same ones that were never interrupted.
import * as fc from 'fast-check'
import { z } from 'zod'
import { defineEvent } from '../../src/event/contract.ts'
import type { EventDraft, StoredEvent } from '../../src/event/event.ts'
import type { Logic } from '../../src/kernel/processor.ts'
import { defineKeyed, type KeyedDeclaration } from '../../src/pipeline/define-keyed.ts'
import type { KeyedContext } from '../../src/pipeline/keyed/keyed-context.ts'
import { KeyedLogic } from '../../src/pipeline/keyed/keyed-logic.ts'
import type { PipelineTime } from '../../src/pipeline/pipeline-time.ts'
import { storedEvent } from '../cep/stored-event.ts'
import { StoredState } from './keyed/stored-state.ts'

const In = defineEvent('test.in', { data: z.object({ key: z.string(), kind: z.number(), at: z.number() }) })
const Out = defineEvent('test.out', { data: z.unknown() })

interface State {
  count: number
  list: unknown[]
  extra?: { seen: number }
}

/** One instruction of a random handler. */
type Instruction =
  | { readonly do: 'count' }
  | { readonly do: 'push' }
  | { readonly do: 'replace' }
  | { readonly do: 'nest' }
  | { readonly do: 'shrink' }
  | { readonly do: 'emit' }
  | { readonly do: 'clear' }
  | { readonly do: 'emit-now' }
  | { readonly do: 'timer'; readonly name: string; readonly in: number }
  | { readonly do: 'cancel'; readonly name: string }
  | { readonly do: 'throw'; readonly every: number }

const name = fc.constantFrom('a', 'b', 'c')
const instruction: fc.Arbitrary<Instruction> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({ do: fc.constantFrom('count', 'push', 'replace', 'nest', 'shrink', 'emit', 'emit-now') }),
  },
  { weight: 1, arbitrary: fc.constant({ do: 'clear' } as const) },
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constant('timer' as const), name, in: fc.integer({ min: -5, max: 60 }) }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('cancel' as const), name }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('throw' as const), every: fc.integer({ min: 2, max: 5 }) }) },
) as fc.Arbitrary<Instruction>
const handler = fc.array(instruction, { minLength: 1, maxLength: 6 })

interface Program {
  readonly events: readonly (readonly Instruction[])[]
  readonly timers: Readonly<Record<string, readonly Instruction[]>>
  readonly init: boolean
}

const program: fc.Arbitrary<Program> = fc.record({
  events: fc.array(handler, { minLength: 1, maxLength: 3 }),
  timers: fc.record({ a: handler, b: handler, c: handler }),
  init: fc.boolean(),
})

type Context = KeyedContext<State | undefined>

function follow(c: Context, instructions: readonly Instruction[], what: unknown): void {
  for (const step of instructions) {
    const state = (c.state ??= { count: 0, list: [] })
    if (step.do === 'count') state.count += 1
    else if (step.do === 'push') state.list.push(what)
    else if (step.do === 'shrink') state.list.shift()
    else if (step.do === 'replace') c.state = { ...state, count: state.count + 10 }
    else if (step.do === 'nest') (state.extra ??= { seen: 0 }).seen = c.now
    else if (step.do === 'emit') c.emit(Out([c.key, state.count, state.list.length, state.extra?.seen ?? null, what]))
    else if (step.do === 'emit-now') c.emit(Out(c.now))
    else if (step.do === 'clear') c.clear()
    // a timer that sets itself for now goes on for ever: only an event may do that
    else if (step.do === 'timer')
      c.timer(step.name, c.now + (typeof what === 'string' ? Math.max(1, step.in) : step.in))
    else if (step.do === 'cancel') c.cancelTimer(step.name)
    else if (state.count % step.every === 1) throw new Error(`count is ${state.count}`)
  }
}

function declare({ events, timers, init }: Program, time: PipelineTime<StoredEvent>): KeyedDeclaration {
  const common = {
    name: 'random',
    version: 1,
    from: { stream: 'T', events: [In] },
    to: { stream: 'T', events: [Out] },
    time,
    onEvent: (c: Context, event: StoredEvent) => {
      const data = event.data as { kind: number }
      follow(c, events[data.kind % events.length] ?? [], data)
    },
    onTimer: (c: Context, timer: string) => follow(c, timers[timer] ?? [], timer),
  }
  return init
    ? defineKeyed<readonly [typeof In], readonly [typeof Out], State>({
        ...common,
        init: () => ({ count: 100, list: [] }),
      } as never)
    : defineKeyed(common as never)
}

/** An event, and what happens after its turn. */
interface Moment {
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
  kind: fc.nat(2),
  behind: fc.integer({ min: 0, max: 40 }),
  next: fc.constantFrom('nothing', 'nothing', 'nothing', 'tick', 'commit', 'commit', 'crash', 'commit, crash'),
  slice: fc.constantFrom(0, 1, 3),
})

function logOf(moments: readonly Moment[]): StoredEvent[] {
  let time = 1_000
  return moments.map(({ passed, key, kind, behind }, at) => {
    time += passed
    return storedEvent({
      type: In.type,
      data: { key, kind, at },
      key,
      id: `e${at}`,
      correlationId: at % 3 === 0 ? 'conversation' : undefined,
      time: time - behind,
      storedAt: time,
      sequence: at + 1,
    })
  })
}

/** What one turn led to, as text. */
function turn(logic: Logic, event: StoredEvent, { next }: Moment): string[] {
  const failures: string[] = []
  const fail = (error: unknown): void => void failures.push(String(error))
  const outputs: EventDraft[] = [...logic.turn(event, fail)]
  if (next === 'tick' && (logic.due ?? Infinity) < Infinity)
    outputs.push(...(logic.tick?.((logic.due ?? 0) + 7, fail) ?? []))
  const strange = failures.find((text) => !/count is \d+|EVENT_LATE/.test(text))
  if (strange !== undefined) throw new Error(strange)
  // the kernel gives what is missing from the event of the turn
  const { time, id } = event
  return [...outputs.map((draft) => JSON.stringify({ time, causationId: id, ...withoutUndefined(draft) })), ...failures]
}

function withoutUndefined(draft: EventDraft): object {
  return Object.fromEntries(Object.entries(draft).filter(([, value]) => value !== undefined))
}

function uninterrupted(
  declaration: KeyedDeclaration,
  log: readonly StoredEvent[],
  moments: readonly Moment[],
): string[] {
  const logic = new KeyedLogic(declaration, { kind: 'fresh' })
  return log.flatMap((event, at) => turn(logic, event, moments[at] as Moment))
}

function interrupted(
  declaration: KeyedDeclaration,
  log: readonly StoredEvent[],
  moments: readonly Moment[],
): { readonly outputs: string[]; readonly crashes: number } {
  const stored = new StoredState()
  const crashed = new Set<number>()
  let committed: string[] = []
  let position = 0
  let logic = new KeyedLogic(declaration, stored.memory())
  let outputs: string[] = []
  for (let at = 0; at < log.length; at++) {
    const { next, slice } = moments[at] as Moment
    outputs.push(...turn(logic, log[at] as StoredEvent, moments[at] as Moment))
    if (next.startsWith('commit') || at === log.length - 1) {
      stored.commit(logic, slice)
      committed = [...committed, ...outputs]
      outputs = []
      position = at + 1
    }
    if (!next.endsWith('crash') || crashed.has(at)) continue
    crashed.add(at)
    logic = new KeyedLogic(declaration, stored.memory())
    outputs = []
    at = position - 1
  }
  return { outputs: committed, crashes: crashed.size }
}

/**
 * E1: what is restored from the state log goes on as if it had never stopped.
 * @returns how much was tried
 */
export function checkKeyed(runs: number, seed?: number): { readonly crashes: number; readonly outputs: number } {
  const tried = { crashes: 0, outputs: 0 }
  const times = fc.constantFrom<PipelineTime<StoredEvent>>(
    'ingestion',
    { of: ({ time }) => time, lateness: 20, late: 'drop' },
    { of: ({ time }) => time, lateness: 30 },
    { of: ({ time }) => time, lateness: 0, late: ({ id }) => Out(['late', id]) },
  )
  fc.assert(
    fc.property(
      program,
      fc.array(moment, { minLength: 5, maxLength: 60, size: 'max' }),
      times,
      (random, moments, time) => {
        const declaration = declare(random, time)
        const log = logOf(moments)
        const expected = uninterrupted(declaration, log, moments)
        const { outputs, crashes } = interrupted(declaration, log, moments)
        tried.crashes += crashes
        tried.outputs += expected.length
        if (JSON.stringify(outputs) !== JSON.stringify(expected))
          throw new Error(`differs:\n${expected.join('\n')}\n--- was ---\n${outputs.join('\n')}`)
      },
    ),
    { numRuns: runs, ...(seed === undefined ? {} : { seed }) },
  )
  return tried
}
