// The kernel without a server: a log in memory, an output stream that takes fenced batches whole or not at all, and a
// processor that claims, recovers, runs turns and commits as run-processor.ts does, from the same pure parts. It stops
// at every step, so that a test decides there who goes on and who dies.
import { inflateRawSync } from 'node:zlib'
import type { StoredMessage } from '../../src/broker/stored-message.ts'
import { commitSubject, snapshotSubject } from '../../src/broker/system-subject.ts'
import type { Registry } from '../../src/event/registry.ts'
import type { WireMessage } from '../../src/event/wire.ts'
import {
  decodeCommitRecord,
  encodeCommitRecord,
  sameCommit,
  type CommitRecord,
} from '../../src/kernel/commit-record.ts'
import { FNV_OFFSET } from '../../src/kernel/hash.ts'
import { hashTurn, nextCommit } from '../../src/kernel/next-commit.ts'
import { processorId, type Memory, type Processor } from '../../src/kernel/processor.ts'
import { runTurn } from '../../src/kernel/run-turn.ts'
import type { Turn } from '../../src/kernel/turn.ts'
import { freshRecord } from './messages.ts'

/** What is left out of the protocol on purpose: a test that does not notice is worth nothing. */
export type Mutation =
  'no fence' | 'position before outputs' | 'no restore' | 'replay after the position' | 'outputs of the replay kept'

/** Where a processor stands when it lets others go on. */
export type Point = 'claimed' | 'turn' | 'before the batch' | 'between two writes' | 'batch stored' | 'done'

export interface World {
  readonly log: readonly StoredMessage[]
  readonly processor: Processor
  readonly registry: Registry
  /** Messages of a batch beside its record. */
  readonly room: number
  /** Turns between two commits. */
  readonly every: number
  /** Commits between two snapshots. */
  readonly snapshots: number
  /** Commits between two receipts that are lost after the batch was stored; 0: none. */
  readonly lose?: number
  readonly mutation?: Mutation | undefined
  readonly out: Out
}

/** The output stream: the log of what was stored, and the last message of each subject. */
export class Out {
  readonly stored: WireMessage[] = []
  readonly #last = new Map<string, { readonly sequence: number; readonly data: Uint8Array }>()

  last(subject: string): { readonly sequence: number; readonly data: Uint8Array } | undefined {
    return this.#last.get(subject)
  }

  /** All or nothing; undefined when the last message of `fence` is not the expected one. */
  batch(messages: readonly WireMessage[], fence: string, expected: number | undefined): number | undefined {
    if (expected !== undefined && (this.#last.get(fence)?.sequence ?? 0) !== expected) return undefined
    for (const message of messages) {
      this.stored.push(message)
      this.#last.set(message.subject, { sequence: this.stored.length, data: message.data })
    }
    return this.stored.length
  }

  /** What readers of the stream see: ids and payloads of the outputs, in order. */
  outputs(): string[] {
    return this.stored
      .filter(({ subject }) => !subject.startsWith('millrace.'))
      .map(({ headers, data }) => `${headers.find(([name]) => name === 'ce-id')?.[1]} ${Buffer.from(data).toString()}`)
  }
}

const PARTITION = 'all'

/** One process: from its claim until the log is done and committed, or until it is fenced. */
export function* process(world: World, owner: string): Generator<Point, 'done' | 'fenced', void> {
  const claimed = claim(world, owner)
  yield 'claimed'
  const life = new Life(world, claimed)
  for (const message of world.log) {
    if (!life.take(message)) continue
    yield 'turn'
    while (life.due()) if (!(yield* life.commit())) return 'fenced'
  }
  while (life.waiting()) if (!(yield* life.commit())) return 'fenced'
  yield 'done'
  return 'done'
}

function claim({ out, processor }: World, owner: string): { record: CommitRecord; sequence: number } {
  const subject = commitSubject(processor.to.stream.name, processorId(processor), PARTITION)
  const last = out.last(subject)
  const found =
    last === undefined
      ? freshRecord({ processor: processorId(processor), version: processor.version, generation: 0 })
      : decodeCommitRecord(last.data, subject)
  const record = { ...found, owner, generation: found.generation + 1 }
  const sequence = out.batch([{ subject, headers: [], data: encodeCommitRecord(record) }], subject, last?.sequence ?? 0)
  if (sequence === undefined) throw new Error('nobody else can have claimed it in between')
  return { record, sequence }
}

class Life {
  readonly #world: World
  readonly #logic
  readonly #subject: string
  readonly #until: number
  readonly #from: number
  #record: CommitRecord
  #expected: number
  #hash = FNV_OFFSET
  #replayed = 0
  #turns: Turn[] = []
  #commits = 0

  constructor(world: World, { record, sequence }: { record: CommitRecord; sequence: number }) {
    const { processor, mutation } = world
    this.#world = world
    this.#record = record
    this.#expected = sequence
    this.#subject = commitSubject(processor.to.stream.name, record.processor, PARTITION)
    this.#until = mutation === 'outputs of the replay kept' ? 0 : record.position
    const afresh = mutation === 'no restore'
    const state = processor.memory === 'none' || afresh ? undefined : readSnapshot(world, record)
    const skips = processor.memory === 'none' || mutation === 'replay after the position' || afresh
    this.#from = skips ? record.position : (record.snapshot?.position ?? record.origin)
    if (skips) this.#replayed = record.turnsToReplay
    if (skips) this.#hash = record.hash
    const memory: Memory = state === undefined ? { kind: 'fresh' } : { kind: 'snapshot', state }
    this.#logic = processor.start(memory, (error) => {
      throw error
    })
    this.#check(this.#from)
  }

  /** Runs the turn of a message; whether there was one. */
  take(message: StoredMessage): boolean {
    const { sequence } = message
    if (sequence <= this.#from) return false
    const { processor, registry } = this.#world
    const turn = runTurn({ processor, logic: this.#logic, registry }, message)
    if (sequence > this.#until) this.#turns.push(turn)
    else {
      this.#hash = hashTurn(this.#hash, turn)
      this.#replayed += 1
      this.#check(sequence)
    }
    return true
  }

  #check(sequence: number): void {
    if (sequence !== this.#until || sequence === 0) return
    if (this.#replayed !== this.#record.turnsToReplay) throw new Error(`replayed ${this.#replayed}`)
    if (this.#hash !== this.#record.hash) throw new Error('other outputs than those stored')
  }

  due(): boolean {
    return this.#turns.length >= this.#world.every
  }

  waiting(): boolean {
    return this.#turns.length > 0
  }

  /** One commit, by the protocol of committer.ts; false when somebody else has claimed the processor. */
  *commit(): Generator<Point, boolean, void> {
    const { out, processor, room, mutation, snapshots, lose = 0 } = this.#world
    const force = this.#commits % snapshots === snapshots - 1
    const input = { record: this.#record, expected: this.#expected, turns: this.#turns, room, spans: [], force }
    const commit = nextCommit({
      ...input,
      output: processor.to.stream.name,
      memory: processor.memory,
      state: () => this.#logic.snapshot?.(),
    })
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
    this.#turns = this.#turns.slice(commit.turns.length)
    return true
  }
}

function readSnapshot({ out, processor }: World, record: CommitRecord): unknown {
  if (record.snapshot === null) return undefined
  const { chunks, bytes } = record.snapshot
  const parts = Array.from({ length: chunks }, (_, chunk) => {
    const last = out.last(snapshotSubject(processor.to.stream.name, record.processor, PARTITION, chunk))
    if (last === undefined) throw new Error(`chunk ${chunk} is missing`)
    return last.data
  })
  const whole = Buffer.concat(parts)
  if (whole.length !== bytes) throw new Error(`${whole.length} bytes instead of ${bytes}`)
  return JSON.parse(inflateRawSync(whole).toString())
}
