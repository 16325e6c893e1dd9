// The kernel without a server: a processor that claims, recovers, runs turns, takes decisions and commits as
// run-processor.ts and committer.ts do, from the same pure parts. It stops at every step, so that a test decides there
// who goes on and who dies.
import type { StoredMessage } from '../../src/broker/stored-message.ts'
import { commitSubject, snapshotSubject } from '../../src/broker/system-subject.ts'
import { CarefulStart } from '../../src/kernel/careful-start.ts'
import { decodeCommitRecord, encodeCommitRecord } from '../../src/kernel/commit-record.ts'
import type { Decision } from '../../src/kernel/decision.ts'
import { Execution } from '../../src/kernel/execution.ts'
import { freshRecord } from '../../src/kernel/fresh-record.ts'
import { processorId, type Logic } from '../../src/kernel/processor.ts'
import type { StepRequest } from '../../src/kernel/step-request.ts'
import { Recovery } from '../../src/kernel/recovery.ts'
import { Redo } from '../../src/kernel/redo.ts'
import { planMemory, restoreMemory, type Loaded } from '../../src/kernel/restore-memory.ts'
import { ModelCommitter } from './model-committer.ts'
import { PARTITION } from './model-store.ts'
import type { Claimed, End, Point, World } from './model-world.ts'

/** One process: from its claim until the log is done and committed, or until it is fenced or killed. */
export function* process(world: World, owner: string): Generator<Point, End, void> {
  const claimed = claim(world, owner)
  yield 'claimed'
  const life = begin(world, claimed)
  if (life === undefined) return 'fenced'
  for (const message of world.log) {
    if (life.replay(message)) continue
    for (let obstacle = life.take(message); obstacle !== undefined; obstacle = life.take(message)) {
      if (obstacle === 'poison') return 'killed'
      if (obstacle === 'step') life.settle()
      else if (!(yield* life.committer.clear())) return 'fenced'
      yield 'decision'
    }
    yield 'turn'
    while (life.decides()) yield 'decision'
    while (life.committer.due()) if (!(yield* life.committer.commit())) return 'fenced'
  }
  life.caughtUp()
  while (life.settle() || life.tick()) yield 'decision'
  while (life.committer.waiting()) if (!(yield* life.committer.commit())) return 'fenced'
  yield 'done'
  return 'done'
}

function claim({ out, processor }: World, owner: string): Claimed {
  const subject = commitSubject(processor.to.stream.name, processorId(processor), PARTITION)
  const last = out.last(subject)
  const found = last === undefined ? freshRecord(processor, PARTITION, '') : decodeCommitRecord(last.data, subject)
  const record = { ...found, owner, generation: found.generation + 1, restarts: found.restarts + 1 }
  const sequence = out.batch([{ subject, headers: [], data: encodeCommitRecord(record) }], subject, last?.sequence ?? 0)
  if (sequence === undefined) throw new Error('nobody else can have claimed it in between')
  return { record, sequence }
}

/** A unit with its state; undefined when somebody has claimed it, and changed what its record points to, meanwhile. */
function begin(world: World, claimed: Claimed): Life | undefined {
  const { out, processor } = world
  try {
    return new Life(world, claimed)
  } catch (error) {
    const last = out.last(commitSubject(processor.to.stream.name, processorId(processor), PARTITION))
    if (last?.sequence !== claimed.sequence) return undefined
    throw error
  }
}

/** What the record points to. */
function load({ log, out, processor, mutation }: World, { record, sequence }: Claimed): Loaded {
  const stream = processor.to.stream.name
  const plan = planMemory(processor, record)
  const state = out.parts(plan.state, sequence)
  const loaded = restoreMemory(processor, record, {
    chunks: out.chunks((chunk) => snapshotSubject(stream, record.processor, PARTITION, chunk), record),
    journal: out.parts(plan.journal, sequence),
    state: mutation === 'state log from one commit later' ? state.slice(1) : state,
  })
  const by = mutation === 'replay from one later' ? 1 : mutation === 'replay from one earlier' ? -1 : 0
  const at = log.findIndex((message) => message.sequence >= loaded.readFrom)
  const readFrom = (record.replayFrom === null || by === 0 ? undefined : log[at + by]?.sequence) ?? loaded.readFrom
  if (mutation === 'no restore') return { ...loaded, memory: { kind: 'fresh' }, readFrom: record.position + 1 }
  if (mutation === 'replay after the position') return { ...loaded, readFrom: record.position + 1 }
  if (mutation === 'no basis') return { ...loaded, memory: { kind: 'fresh' } }
  return { ...loaded, readFrom, journal: mutation === 'no journal' ? [] : loaded.journal }
}

class Life {
  readonly #world: World
  readonly #logic: Logic
  readonly #execution: Execution
  readonly #readFrom: number
  readonly #careful: CarefulStart
  #recovery: Recovery | undefined
  #redo = new Redo({ partial: null, attempting: null })
  readonly committer: ModelCommitter
  #steps: StepRequest[] = []

  constructor(world: World, claimed: Claimed) {
    const { processor, mutation, registry } = world
    const { record } = claimed
    const loaded = load(world, claimed)
    this.#world = world
    this.#readFrom = loaded.readFrom
    this.#logic = processor.start(loaded.memory, (error) => {
      throw error
    })
    this.#execution = new Execution({ processor, logic: this.#logic, registry }, record)
    this.committer = new ModelCommitter(world, claimed, loaded, this.#logic, this.#execution)
    this.#careful = new CarefulStart(record, this.committer.careful(), () => undefined)
    const live = mutation === 'outputs of the replay kept' || loaded.readFrom > record.position
    const compared = mutation !== 'no restore' && mutation !== 'replay after the position'
    const resumed = mutation === 'numbers begin anew' ? { ...record, ordinal: 0, failures: 0 } : record
    this.#recovery = new Recovery(resumed, this.#execution, loaded.journal, compared)
    if (live) this.#endRecovery()
  }

  /** Whether a message was only replayed, or is not read at all. */
  replay(message: StoredMessage): boolean {
    if (message.sequence < this.#readFrom) return true
    if (this.#recovery === undefined) return false
    if (message.sequence <= this.#recovery.until) {
      this.#recovery.replay(message)
      if (message.sequence === this.#recovery.until) this.#endRecovery()
      return true
    }
    this.#endRecovery()
    return false
  }

  #endRecovery(): void {
    const problem = this.#recovery?.end(this.#world.processor, this.#logic)
    if (problem !== undefined) throw problem
    this.#recovery = undefined
    this.#redo = new Redo(
      this.#world.mutation === 'nothing is redone' ? { partial: null, attempting: null } : this.committer.record,
    )
    this.#ask()
  }

  /** Runs the turn of a message; what it has to wait for first, or what happens instead. */
  take(message: StoredMessage): 'step' | 'commit' | 'poison' | undefined {
    for (const entry of this.#redo.before(message.sequence)) this.committer.add(this.#execution.decide(entry))
    this.#ask()
    const input = this.#execution.read(message)
    if (!this.#execution.admits(input)) return 'step'
    const care = this.#redo.care(message.sequence) ?? this.#careful.before(message, false)
    if (care.kind === 'wait') return 'commit'
    if (care.kind === 'handle' && this.#world.poison.has(message.sequence)) return 'poison'
    const turn = this.#execution.take(message, input, this.#redo.recorded(message.sequence), care)
    this.committer.add(turn)
    this.#ask()
    return turn.message === undefined ? 'step' : undefined
  }

  caughtUp(): void {
    if (this.#recovery !== undefined) this.#endRecovery()
    for (const entry of this.#redo.rest()) this.committer.add(this.#execution.decide(entry))
    this.#ask()
  }

  get #open(): boolean {
    return this.#world.mutation === 'new decisions at once' || this.#redo.done(this.#execution.place)
  }

  /** Takes a decision now and then; whether it did. */
  decides(): boolean {
    const { chance } = this.#world
    if (!this.#open || chance() < 0.6) return false
    return chance() < 0.5 ? this.settle() : this.tick()
  }

  /** Ends one of the steps, with a result that is never the same. */
  settle(): boolean {
    const { chance } = this.#world
    const [step] = this.#steps.splice(Math.floor(chance() * this.#steps.length), 1)
    if (step === undefined) return false
    const failed = { ok: false, error: { name: 'Error', message: 'no' } } as const
    const outcome = chance() < 0.2 ? failed : ({ ok: true, value: Math.floor(chance() * 1_000) } as const)
    this.#decide({ kind: 'step', id: step.id, outcome })
    return true
  }

  /** Lets time pass to what is due next, when nothing is open. */
  tick(): boolean {
    const due = this.#logic.due ?? Number.POSITIVE_INFINITY
    if (this.#steps.length > 0 || due === Number.POSITIVE_INFINITY) return false
    this.#decide({ kind: 'tick', time: due })
    return true
  }

  #decide(decision: Decision): void {
    this.committer.add(this.#execution.decide(decision))
    this.#ask()
  }

  #ask(): void {
    if (this.#open) this.#steps.push(...(this.#logic.takeSteps?.() ?? []))
  }
}
