// Random handlers over random logs, crashed anywhere, against the same ones that were never interrupted.
import * as fc from 'fast-check'
import type { StoredEvent } from '../../src/event/event.ts'
import { defineKeyed, type KeyedDeclaration } from '../../src/pipeline/define-keyed.ts'
import type { KeyedContext } from '../../src/pipeline/keyed/keyed-context.ts'
import { KeyedLogic } from '../../src/pipeline/keyed/keyed-logic.ts'
import type { PipelineTime } from '../../src/pipeline/pipeline-time.ts'
import { compareInterrupted, In, moments, Out, times, type Start, type Tried } from './keyed/moments.ts'

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
    ? defineKeyed({ ...common, init: () => ({ count: 100, list: [] }) } as never)
    : defineKeyed(common as never)
}

/**
 * E1: what is restored from the state log goes on as if it had never stopped.
 * @returns how much was tried
 */
export function checkKeyed(runs: number, seed?: number): Tried {
  const tried = { crashes: 0, outputs: 0 }
  fc.assert(
    fc.property(program, moments, times, (random, all, time) => {
      const declaration = declare(random, time)
      const start: Start = (memory) => new KeyedLogic(declaration, memory)
      const { crashes, outputs } = compareInterrupted([start, start], all, /count is \d+|EVENT_LATE/)
      tried.crashes += crashes
      tried.outputs += outputs
    }),
    { numRuns: runs, ...(seed === undefined ? {} : { seed }) },
  )
  return tried
}
