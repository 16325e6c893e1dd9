// Accidents at every step of a modelled run, and what may not come of them. The tests run them in small; a soak calls
// the same functions with more runs and longer logs.
import * as fc from 'fast-check'
import * as assert from 'uvu/assert'
import { deadLetterSubject } from '../../src/broker/system-subject.ts'
import type { StoredMessage } from '../../src/broker/stored-message.ts'
import { lettersOf } from '../../src/kernel/dead-letter.ts'
import type { JournalEntry } from '../../src/kernel/decision.ts'
import { Execution } from '../../src/kernel/execution.ts'
import { freshRecord } from '../../src/kernel/fresh-record.ts'
import type { Processor } from '../../src/kernel/processor.ts'
import { JournalCursor } from '../../src/kernel/recovery.ts'
import type { Turn } from '../../src/kernel/turn.ts'
import { Reading, registry } from '../support/kill-fixture.ts'
import { storedDraft } from './messages.ts'
import { process } from './model.ts'
import { describe, Out, PARTITION } from './model-store.ts'
import type { End, Mutation, Point, World } from './model-world.ts'

export interface Size {
  readonly runs: number
  /** Messages in the log. */
  readonly length: number
  /** Messages that lead to more than a batch holds follow each other. Default now and then. */
  readonly bursts?: boolean
  readonly seed?: number
}

export interface Course extends Omit<World, 'processor' | 'registry' | 'chance' | 'mutation' | 'out'> {
  readonly seed: number
}

/**
 * Readings out of order in time, with gaps in their sequences, payloads that are none, and killers; how it is committed.
 * @param bursts whether much leads to more than a batch holds
 */
export const someCourse = (length: number, bursts = false): fc.Arbitrary<Course> =>
  fc.noBias(
    fc
      .record({
        entries: fc.array(
          fc.record({
            machine: fc.integer({ min: 0, max: 1 }),
            value: fc.oneof(
              fc.nat(100),
              bursts ? fc.constantFrom(20, 95, 96, 97, 100, 100) : fc.constantFrom(20, 90, 20, 90, 60, 77, 78),
            ),
            step: fc.oneof({ weight: 12, arbitrary: fc.integer({ min: -40, max: 70 }) }, fc.constant(400)),
            gap: fc.oneof({ weight: 6, arbitrary: fc.integer({ min: 1, max: 4 }) }, fc.constant(800)),
            broken: fc.nat(20).map((n) => n === 0),
            kills: fc.nat(bursts ? 100 : 50).map((n) => n === 0),
          }),
          { minLength: length, maxLength: length },
        ),
        room: fc.integer({ min: 2, max: bursts ? 4 : 9 }),
        every: fc.integer({ min: bursts ? 4 : 1, max: 7 }),
        looks: fc.integer({ min: bursts ? 4 : 1, max: 5 }),
        snapshots: fc.integer({ min: 1, max: 6 }),
        lose: fc.nat(3),
        seed: fc.nat(2 ** 31 - 1),
      })
      .map(({ entries, ...rest }) => {
        let [sequence, time] = [0, Date.UTC(2026, 0, 1)]
        const poison = new Set<number>()
        const log: StoredMessage[] = entries.map(({ machine, value, step, gap, broken, kills }) => {
          time += step
          sequence += gap
          if (kills) poison.add(sequence)
          const draft = Reading({ machine: `m${machine}`, value }, { time })
          return storedDraft(draft, sequence, broken ? '{"machine":7}' : undefined)
        })
        // what a failure shows: the messages themselves would fill pages
        return { ...rest, log, poison, [fc.toStringMethod]: () => JSON.stringify({ ...rest, entries }) }
      }),
  )

export function worldOf(processor: Processor, course: Course, mutation?: Mutation): World {
  return { ...course, processor, registry, mutation, chance: random(course.seed), out: new Out() }
}

/** mulberry32 */
function random(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

interface Result {
  readonly outputs: string[]
  /** Of messages and of decisions: subject and reason. */
  readonly ofMessages: ReadonlyMap<string, string>
  readonly ofDecisions: ReadonlyMap<string, string>
  /** Sequences of messages that were passed over. */
  readonly skipped: ReadonlySet<number>
}

/** The function of log and journal that the kernel promises: no process, no commit, each turn once. */
export function functionOf(
  { log, processor }: Pick<World, 'log' | 'processor'>,
  entries: readonly JournalEntry[],
  partition = PARTITION,
): Result {
  const logic = processor.start({ kind: 'fresh' }, () => undefined)
  const execution = new Execution({ processor, logic, registry }, freshRecord(processor, partition, ''))
  const journal = new JournalCursor(entries)
  const turns: Turn[] = []
  const decide = (until: number): void => {
    for (const entry of journal.before(until)) turns.push(execution.decide(entry))
  }
  for (const message of log) {
    decide(message.sequence)
    const skipped = journal.skipped(message.sequence)
    turns.push(skipped ? execution.skip(message, 0) : execution.handle(message, execution.read(message)))
  }
  decide(Number.POSITIVE_INFINITY)
  const [ofMessages, ofDecisions] = [new Out(), new Out()]
  for (const turn of turns) bury(turn.message === undefined ? ofDecisions : ofMessages, processor, turn)
  return {
    outputs: turns.flatMap(({ outputs }) => outputs.map(describe)),
    ofMessages: ofMessages.deadLetters,
    ofDecisions: ofDecisions.deadLetters,
    skipped: new Set(entries.flatMap((entry) => (entry.kind === 'skip' ? [entry.sequence] : []))),
  }
}

function bury(out: Out, processor: Processor, turn: Turn): void {
  for (const { reason, which } of lettersOf(turn)) {
    const said = reason.detail.replace(/^\d+ times/, 'many times')
    const subject = deadLetterSubject(processor.from.stream.name, turn.sequence, reason.processor, which)
    out.bury(subject, `${reason.code} ${said}`)
  }
}

function sequenceOf(subject: string): number {
  return Number(subject.split('.')[3])
}

type Running = Generator<Point, End, void>

/** Lets a process take `steps` steps, or all; whether it has any left. */
export function advance(life: Running, steps = Number.POSITIVE_INFINITY): boolean {
  for (let at = 0; at < steps; at++) {
    if (life.next().done === true) return false
    assert.ok(at < 20_000, 'a run comes to an end')
  }
  return true
}

/** One process after the other, when a message ends one, until one has come to the end or is fenced. */
function* lives(world: World, name: string): Running {
  for (let life = 0; ; life++) {
    const end = yield* process(world, `${name}-${life}`)
    if (end !== 'killed') return end
    assert.ok(life < 100, 'one of them comes to the end')
  }
}

/** Lets processes run until everything is done. */
export function finish(world: World): void {
  advance(lives(world, 'last'))
}

/** Stops a process at `step`, for ever; others finish. Whether the step was reached. */
export function crashAt(world: World, step: number): boolean {
  if (!advance(lives(world, 'first'), step)) return false
  finish(world)
  return true
}

/** Stops a process at `step`; another runs for as many steps; then the first one wakes up, and then the other goes on. */
export function overtakeAt(world: World, step: number): boolean {
  const zombie = lives(world, 'zombie')
  if (!advance(zombie, step)) return false
  const heir = lives(world, 'heir')
  const alive = advance(heir, Math.floor(step / 2) + 1)
  advance(zombie)
  if (alive) advance(heir)
  finish(world)
  return true
}

export type Accident = typeof crashAt

/**
 * What came of a run that should not have; undefined when nothing did.
 * @param known what follows from journals over the same log
 */
function harm(world: World, known = new Map<string, Result>()): string | undefined {
  const journal = world.out.journal(world.processor)
  const key = JSON.stringify(journal)
  const expected = known.get(key) ?? functionOf(world, journal)
  known.set(key, expected)
  const outputs = world.out.outputs()
  const at = expected.outputs.findIndex((output, n) => output !== outputs[n])
  if (at >= 0) return `output ${at} is ${outputs[at]} instead of ${expected.outputs[at]}`
  if (outputs.length > expected.outputs.length) return `${outputs[expected.outputs.length]} is too much`
  return harmedLetters(world.out.deadLetters, expected)
}

/**
 * A dead letter is stored before its turn is committed. That of a message is the same in every life; a decision may be
 * lost with its process, and another one taken in its place: then its dead letter is there nevertheless. So is that of
 * a message that was handled in vain before it was passed over.
 */
function harmedLetters(found: ReadonlyMap<string, string>, expected: Result): string | undefined {
  const { ofMessages, ofDecisions, skipped } = expected
  for (const [subject, reason] of ofMessages)
    if (found.get(subject) !== reason && !(found.has(subject) && skipped.has(sequenceOf(subject))))
      return `${subject} is ${found.get(subject)} instead of ${reason}`
  for (const [subject, reason] of ofDecisions)
    if (found.get(subject) !== reason) return `${subject} ${reason} is missing`
  for (const [subject, reason] of found)
    if (!ofMessages.has(subject) && reason !== 'TURN_FAILED no' && !skipped.has(sequenceOf(subject)))
      return `${subject} ${reason} is too much`
  return undefined
}

/** The first step at which an accident changes what comes out; undefined when it never does. */
export function firstHarm(
  processor: Processor,
  course: Course,
  accident: Accident,
  mutation?: Mutation,
): string | undefined {
  const known = new Map<string, Result>()
  for (let step = 1; ; step++) {
    const world = worldOf(processor, course, mutation)
    try {
      if (!accident(world, step)) return undefined
      const found = harm(world, known)
      if (found !== undefined) return `step ${step}: ${found}`
    } catch (error) {
      if (mutation === undefined) throw new Error(`step ${step}`, { cause: error })
      return `step ${step}: ${String(error)}` // the kernel itself noticed
    }
  }
}

/** A counterexample is not made smaller: each attempt is a run for every step of a run. */
const sizeOf = ({ runs, seed }: Size) => ({
  numRuns: runs,
  endOnFailure: true,
  ...(seed === undefined ? {} : { seed }),
})

/** K1 C1 C2: an accident at any single step changes nothing of what comes out. */
export function neverHarmed(processor: Processor, accident: Accident, size: Size): void {
  const never = (course: Course): void => assert.is(firstHarm(processor, course, accident), undefined)
  fc.assert(fc.property(someCourse(size.length, size.bursts), never), sizeOf(size))
}

/** K1 C2: dying again and again, also while it recovers, changes nothing of what comes out. */
export function diesAgainAndAgain(processor: Processor, size: Size): void {
  const deaths = fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 1, maxLength: 12 })
  fc.assert(
    fc.property(someCourse(size.length, size.bursts), deaths, (course, steps) => {
      const world = worldOf(processor, course)
      for (const [at, step] of steps.entries()) advance(process(world, `d${at}`), step)
      finish(world)
      assert.is(harm(world), undefined)
    }),
    sizeOf(size),
  )
}

/** How many runs it takes until a break of the protocol was noticed so often; undefined: more than `size.runs`. */
export function noticed(
  mutation: Mutation,
  processor: Processor,
  accident: Accident,
  size: Size,
  often: number,
): number | undefined {
  const courses = fc.sample(someCourse(size.length, size.bursts), { numRuns: size.runs, seed: size.seed ?? 7 })
  let harmed = 0
  for (const [at, course] of courses.entries()) {
    if (firstHarm(processor, course, accident, mutation) !== undefined) harmed += 1
    if (harmed === often) return at + 1
  }
  return undefined
}
