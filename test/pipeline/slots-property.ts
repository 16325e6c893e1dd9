// The promise of slots as properties: random chains of operators × random logs × commits, crashes, ticks, late events,
// errors and steps, against the run that is never interrupted. `npm run soak` runs the same with more runs.
import * as fc from 'fast-check'
import { concatMap, exhaustMap, map, mergeMap, of, switchMap, catchError, type Observable } from 'rxjs'
import { z } from 'zod'
import type { StepOutcome } from '../../src/kernel/decision.ts'
import { defineEvent } from '../../src/event/contract.ts'
import type { StoredEvent } from '../../src/event/event.ts'
import { definePipeline, type PipelineDeclaration, type PipelineOptions } from '../../src/pipeline/define-pipeline.ts'
import type { PipelineContext } from '../../src/pipeline/pipeline-context.ts'
import { chain, numberOf, pipeAll, type Link } from './slots/chains.ts'
import { Unit, uninterrupted, type Message, type Mutation } from './slots/unit.ts'

export const Taken = defineEvent('reading.taken', { data: z.object({ k: z.string(), v: z.number() }), key: (d) => d.k })
export const Made = defineEvent('reading.made', { data: z.unknown() })

/** What varies beside chain and log. */
export interface Mode {
  readonly name: string
  /** One slot for all keys. */
  readonly single?: boolean
  readonly idle?: boolean
  readonly epoch?: boolean
  /** Events have times of their own and come out of order. */
  readonly late?: boolean
  /** Some events make the pipeline throw. */
  readonly poison?: boolean
  /** Steps are part of the chain. */
  readonly steps?: boolean
  /** Several events share a message. */
  readonly packed?: boolean
}

export const MODES: readonly Mode[] = [
  { name: 'one slot', single: true },
  { name: 'idle', idle: true },
  { name: 'epoch', epoch: true },
  { name: 'idle, epoch, packed', idle: true, epoch: true, packed: true },
  { name: 'idle, late', idle: true, late: true },
  { name: 'idle, epoch, late, packed', idle: true, epoch: true, late: true, packed: true },
  { name: 'one slot, late', single: true, late: true },
  { name: 'idle, poison', idle: true, poison: true },
  { name: 'idle, late, poison', idle: true, late: true, poison: true },
  { name: 'steps', idle: true, steps: true },
  { name: 'steps, epoch, poison', idle: true, epoch: true, poison: true, steps: true },
  { name: 'steps, late', idle: true, late: true, steps: true },
]

const ACTS = ['commit', 'crash', 'tick', 'tick+commit', 'tick+crash', 'commit+tick+crash', 'settle+crash'] as const
type Act = (typeof ACTS)[number] | 'none'
const acts = fc.array(fc.constantFrom<Act>(...Array.from({ length: 14 }, () => 'none' as const), ...ACTS), {
  minLength: 40,
  maxLength: 160,
  size: 'max',
})

interface Raw {
  readonly dt: number
  readonly k: number
  readonly v: number
}
/** Ties, small and medium steps, long gaps. */
const raw: fc.Arbitrary<Raw> = fc.record({
  dt: fc.oneof(
    { weight: 2, arbitrary: fc.constant(0) },
    { weight: 8, arbitrary: fc.integer({ min: 1, max: 15 }) },
    { weight: 2, arbitrary: fc.integer({ min: 16, max: 200 }) },
    { weight: 1, arbitrary: fc.integer({ min: -20, max: 2_000 }) },
  ),
  k: fc.integer({ min: 0, max: 4 }),
  v: fc.integer({ min: 0, max: 50 }),
})

/** One run, as it was drawn. */
export interface Drawn {
  readonly links: readonly Link[]
  readonly raw: readonly Raw[]
  readonly acts: readonly Act[]
  /** How far the clock of ticks is ahead of the next message, in ms. */
  readonly ahead: number
  readonly idle: number
  readonly chance: number
}

/** @param longest most events of a run */
export function drawnRuns(longest: number): fc.Arbitrary<Drawn> {
  return fc.record({
    links: chain,
    raw: fc.array(raw, { minLength: 5, maxLength: longest, size: 'max' }),
    acts,
    ahead: fc.constantFrom(0, 0, 30),
    idle: fc.integer({ min: 20, max: 300 }),
    chance: fc.integer({ min: 1, max: 2 ** 31 - 1 }),
  })
}

/** What a check of many runs has seen. */
export interface Seen {
  runs: number
  crashes: number
  replayed: number
  outputs: number
  /** Runs that put something out. */
  speaking: number
}

export function messagesOf(raw: readonly Raw[], mode: Mode): Message[] {
  const messages: StoredEvent[][] = []
  let storedAt = 1_000
  for (const [at, { dt, k, v }] of raw.entries()) {
    const joins = mode.packed === true && v % 3 === 0 ? messages.at(-1) : undefined
    if (joins === undefined) storedAt += dt
    const event: StoredEvent = {
      id: `e${at}`,
      source: '/test',
      type: 'reading.taken',
      version: 1,
      time: storedAt - ((at * 7_919 + v * 31) % 60),
      key: `k${k}`,
      data: { k: `k${k}`, v },
      correlationId: at % 3 === 0 ? `c${at}` : undefined,
      causationId: undefined,
      attributes: {},
      stream: 'T',
      sequence: joins?.[0]?.sequence ?? (messages.length + 1) * 3,
      storedAt,
    }
    if (joins === undefined) messages.push([event])
    else joins.push(event)
  }
  return messages
}

export function pipelineOf({ links, idle }: Pick<Drawn, 'links' | 'idle'>, mode: Mode): PipelineDeclaration {
  const options: PipelineOptions<readonly [typeof Taken]> = {
    name: 'p',
    version: 1,
    from: { stream: 'T', events: [Taken] },
    to: { stream: 'U', events: [Made] },
    ...(mode.single === true ? { keyBy: () => '', spread: 'one' as const } : {}),
    recovery: {
      mode: 'slots',
      idle: mode.idle === true ? idle : 1e9,
      ...(mode.epoch === true ? { epoch: idle * 3 } : {}),
    },
    ...(mode.late === true ? { time: { of: (e) => e.time, lateness: 40, late: (e) => Made(['late', e.data.v]) } } : {}),
    pipeline: (events$, ctx) => {
      const values$ = events$.pipe(
        map(({ data: { v } }) => {
          if (mode.poison === true && v % 13 === 5) throw new Error(`poison ${v}`)
          return v
        }),
      )
      const [first, ...rest] = links
      const before$ = pipeAll(values$, first === undefined ? [] : [first])
      const done$ = mode.steps === true ? pipeAll(stepped(before$, ctx, first), rest) : pipeAll(before$, rest)
      return done$.pipe(map((value) => Made([value, ctx.now(), numberOf(value) % 5 === 0 ? ctx.random() : 0])))
    },
  }
  return definePipeline(options)
}

/** A step for each value, joined in one of four ways, its errors kept or passed on. */
function stepped(values$: Observable<unknown>, ctx: PipelineContext, link: Link | undefined): Observable<unknown> {
  const step = (value: unknown) => ctx.step('ask', () => Promise.resolve(value))
  const d = link?.d ?? 0
  const kept = (value: unknown) =>
    d % 3 === 0 ? step(value) : step(value).pipe(catchError((e: Error) => of(e.message)))
  const joins = [concatMap, mergeMap, switchMap, exhaustMap] as const
  return values$.pipe((joins[d % 4] ?? concatMap)(kept))
}

/** Small random numbers of a run, the same in each repetition. */
function dice(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
}

/** @throws when the interrupted run differs from the uninterrupted one */
export function checkRun(run: Drawn, mode: Mode, seen: Seen, mutation?: Mutation): void {
  const pipeline = pipelineOf(run, mode)
  const log = messagesOf(run.raw, mode)
  const unit = new Unit(pipeline, log, mutation)
  drive(unit, run)
  const expected = uninterrupted(pipeline, log, unit.journal)
  seen.runs += 1
  seen.crashes += unit.crashes
  seen.replayed += unit.replayed
  seen.outputs += expected.length
  if (expected.length > 0) seen.speaking += 1
  const at = expected.findIndex((result, index) => result !== unit.stored[index])
  if (at < 0 && expected.length === unit.stored.length) return
  const around = Math.max(0, (at < 0 ? expected.length : at) - 2)
  const some = (results: readonly string[]): string => results.slice(around, around + 6).join('\n  ')
  throw new Error(`from ${around}:\nstored\n  ${some(unit.stored)}\nuninterrupted\n  ${some(expected)}`)
}

function drive(unit: Unit, { acts: script, ahead, chance }: Drawn): void {
  const roll = dice(chance)
  let at = 0
  for (let guard = 0; guard < 3_000; guard++) {
    const message = unit.next
    if (message === undefined) break
    if (!unit.take(message)) settleOne(unit, roll)
    else if (roll(3) === 0) settleOne(unit, roll)
    if (at >= script.length * 3) continue // let it come to its end
    act(unit, script[at++ % script.length] ?? 'none', ahead, roll)
  }
  unit.commit()
}

function act(unit: Unit, name: Act, ahead: number, roll: (below: number) => number): void {
  if (name === 'none') return
  for (const part of name.split('+')) {
    if (part === 'commit') unit.commit()
    else if (part === 'crash') unit.crash()
    else if (part === 'settle') settleOne(unit, roll)
    else unit.tick(limitOf(unit) + ahead)
  }
}

/** Up to where a clock may be that is not behind the next message. */
function limitOf(unit: Unit): number {
  return (unit.next?.[0]?.storedAt ?? 1e6) - 1
}

function settleOne(unit: Unit, roll: (below: number) => number): void {
  if (unit.open.length === 0) return
  const number = roll(50)
  const outcome: StepOutcome =
    number % 7 === 0 ? { ok: false, error: { name: 'Error', message: `no ${number}` } } : { ok: true, value: number }
  unit.settle(roll(unit.open.length), outcome)
}

export interface CheckOptions {
  readonly runs: number
  readonly seed: number
  /** Most events of a run. Default 50. */
  readonly longest?: number
  readonly mutation?: Mutation
}

/** Checks a mode by many runs. @throws with the smallest run that differs */
export function checkMode(mode: Mode, { runs, seed, longest = 50, mutation }: CheckOptions): Seen {
  const seen: Seen = { runs: 0, crashes: 0, replayed: 0, outputs: 0, speaking: 0 }
  const property = fc.property(drawnRuns(longest), (run) => checkRun(run, mode, seen, mutation))
  fc.assert(property, { numRuns: runs, seed, ...(mutation === undefined ? {} : { endOnFailure: true }) })
  return seen
}
