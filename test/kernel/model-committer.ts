// The committing side of a modelled processor, by the protocol of committer.ts and store-commit.ts.
import { commitSubject, deadLetterSubject } from '../../src/broker/system-subject.ts'
import {
  decodeCommitRecord,
  encodeCommitRecord,
  sameCommit,
  type CommitRecord,
} from '../../src/kernel/commit-record.ts'
import type { Committer } from '../../src/kernel/committer.ts'
import { lettersOf } from '../../src/kernel/dead-letter.ts'
import type { Execution } from '../../src/kernel/execution.ts'
import type { JournalSpan } from '../../src/kernel/journal-spans.ts'
import { nextCommit, type Commit } from '../../src/kernel/next-commit.ts'
import type { Logic } from '../../src/kernel/processor.ts'
import type { Loaded } from '../../src/kernel/restore-memory.ts'
import { StateLog } from '../../src/kernel/state-log.ts'
import type { Turn } from '../../src/kernel/turn.ts'
import { PARTITION } from './model-store.ts'
import type { Claimed, Point, World } from './model-world.ts'

export class ModelCommitter {
  readonly #world: World
  readonly #logic: Logic
  readonly #execution: Execution
  readonly #subject: string
  readonly #stateLog: StateLog
  #record: CommitRecord
  #expected: number
  #spans: readonly JournalSpan[]
  #turns: Turn[] = []
  #isCareful = false
  #marking: { readonly attempting: CommitRecord['attempting']; readonly done: () => void } | undefined
  #commits = 0
  #added = 0
  onCommitted: (record: CommitRecord) => void = () => undefined

  constructor(world: World, { sequence, record }: Claimed, loaded: Loaded, logic: Logic, execution: Execution) {
    this.#world = world
    this.#record = record
    this.#expected = sequence
    this.#spans = loaded.spans
    this.#subject = commitSubject(world.processor.to.stream.name, record.processor, PARTITION)
    this.#logic = logic
    this.#execution = execution
    this.#stateLog = new StateLog(() => logic.entries?.() ?? [], loaded.state, { slice: 2, least: 5 })
  }

  get record(): CommitRecord {
    return this.#record
  }

  /** What a careful start uses of a committer; `clear` does what it asks for. */
  careful(): Committer {
    const waiting = () => this.#turns.length
    const careful = (on: boolean) => (this.#isCareful = on)
    const mark = (attempting: CommitRecord['attempting']) => ({
      // oxlint-disable-next-line unicorn/no-thenable -- what a promise would say is said where the model stops
      then: (done: () => void) => (this.#marking = { attempting, done }),
    })
    const own = {
      mark,
      get waiting() {
        return waiting()
      },
      set careful(on: boolean) {
        careful(on)
      },
    }
    return own as unknown as Committer
  }

  add(turn: Turn): void {
    this.#turns.push(turn)
    this.#added += 1
    if (this.#added % this.#world.looks === 0) this.#look(turn)
  }

  #look(turn: Turn): void {
    const { memory } = this.#world.processor
    if (memory === 'replay' || memory === 'keyed') turn.checkpoint ??= this.#execution.checkpoint()
  }

  due(): boolean {
    return this.#turns.length >= this.#world.every
  }

  waiting(): boolean {
    return this.#turns.length > 0
  }

  /** Stores what waits, and that a message is about to be handled; false when fenced. */
  *clear(): Generator<Point, boolean, void> {
    while (this.waiting()) if (!(yield* this.commit())) return false
    if (this.#marking === undefined) return true
    const { attempting, done } = this.#marking
    const record = { ...this.#record, attempting }
    if (!(yield* this.#store({ turns: [], messages: [], record, spans: this.#spans }))) return false
    this.#marking = undefined
    done()
    yield 'marked'
    return true
  }

  /** One commit, by the protocol of committer.ts; false when somebody else has claimed the processor. */
  *commit(): Generator<Point, boolean, void> {
    const { processor, room, snapshots, mutation } = this.#world
    const last = this.#turns.at(-1)
    if (last !== undefined) this.#look(last)
    const commit = nextCommit({
      record: this.#record,
      expected: this.#expected,
      turns: mutation === 'changes of later turns' ? changedAtOnce(this.#turns) : this.#turns,
      room,
      output: processor.to.stream.name,
      memory: processor.memory,
      spans: this.#spans,
      state: () => this.#logic.snapshot?.(),
      rewrite: () => this.#stateLog.next(this.#expected),
      careful: this.#isCareful,
      force: this.#commits % snapshots === snapshots - 1,
    })
    if (mutation !== 'dead letters behind the position') yield* this.#bury(commit)
    if (!(yield* this.#store(commit))) return false
    if (mutation === 'dead letters behind the position') yield* this.#bury(commit)
    for (const { checkpoint } of commit.turns) this.#stateLog.wrote(checkpoint?.changes.length ?? 0)
    this.onCommitted(commit.record)
    return true
  }

  *#bury({ turns }: Commit): Generator<Point, void, void> {
    const { out, processor } = this.#world
    for (const turn of turns) {
      for (const { reason, which } of lettersOf(turn)) {
        const subject = deadLetterSubject(processor.from.stream.name, turn.sequence, reason.processor, which)
        out.bury(subject, `${reason.code} ${reason.detail.replace(/^\d+ times/, 'many times')}`)
        yield 'dead letter'
      }
    }
  }

  *#store(commit: Commit): Generator<Point, boolean, void> {
    const { out, mutation, lose } = this.#world
    const message = { subject: this.#subject, headers: [], data: encodeCommitRecord(commit.record) }
    yield 'before the batch'
    const expected = mutation === 'no fence' ? undefined : this.#expected
    let stored: number | undefined
    if (mutation === 'position before outputs') {
      stored = out.batch([message], this.#subject, expected)
      if (stored === undefined) return false
      yield 'between two writes'
      out.batch(commit.messages, this.#subject, undefined)
    } else stored = out.batch([...commit.messages, message], this.#subject, expected)
    this.#commits += 1
    if (stored !== undefined && lose > 0 && this.#commits % lose === 0) {
      // the receipt is lost: the same bytes are sent again, refused by the fence, and the record is read
      yield 'batch stored'
      stored = out.batch([...commit.messages, message], this.#subject, expected)
    }
    if (stored === undefined) {
      const last = out.last(this.#subject)
      if (last === undefined || !sameCommit(decodeCommitRecord(last.data, this.#subject), commit.record)) return false
      stored = last.sequence
    }
    yield 'batch stored'
    this.#expected = stored
    this.#record = commit.record
    this.#spans = commit.spans
    this.#turns = this.#turns.slice(commit.turns.length)
    return true
  }
}

/** As if what has changed were looked at when the commit is made, not when its last turn was. */
function changedAtOnce(turns: readonly Turn[]): Turn[] {
  const changes = turns.flatMap(({ checkpoint }) => checkpoint?.changes ?? [])
  const first = turns.findIndex(({ checkpoint }) => checkpoint !== undefined)
  return turns.map((turn, at) =>
    turn.checkpoint === undefined
      ? turn
      : { ...turn, checkpoint: { ...turn.checkpoint, changes: at === first ? changes : [] } },
  )
}
