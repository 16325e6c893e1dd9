import type { StoredEvent } from '../../event/event.js'
import { EntryTable } from '../../kernel/entry-table.js'
import type { KeyedChange, KeyedEntry } from '../../kernel/processor.js'
import { MOST_PENDING } from '../../kernel/parking/parked-unit.js'
import { FIRST_ATTEMPT, type AttemptRecord } from '../attempt-headers.js'
import { OpenEvent, readOpen, storedOpen } from './open-event.js'

/** Events that may wait: of one key, and in one unit. Then the unit waits. */
const MOST_OF_ONE = 10_000
const MOST_OF_ALL = 50_000

/** The open events of one key, in the order of the log. */
class Line {
  readonly #events: OpenEvent[] = []
  /** Those before it are gone. */
  #first = 0

  get length(): number {
    return this.#events.length - this.#first
  }

  get head(): OpenEvent | undefined {
    return this.#events[this.#first]
  }

  push(open: OpenEvent): void {
    this.#events.push(open)
  }

  shift(): void {
    this.#first += 1
    if (this.#first < 1_000) return
    this.#events.splice(0, this.#first)
    this.#first = 0
  }
}

/**
 * What one unit of an ordered handler keeps: the events that have no fate yet, in lines by key. A key without any has no
 * line.
 */
export class KeyLines {
  readonly #table = new EntryTable<OpenEvent>(storedOpen)
  readonly #lines = new Map<string, Line>()
  /** Of sequences. */
  readonly #redriven = new Set<number>()
  #next = 1
  #length = 0

  /** @throws HANDLER_STATE_INVALID */
  constructor(entries: Iterable<KeyedEntry> = []) {
    for (const open of readOpen(entries)) {
      this.#table.load(open)
      this.#next = Number(open.key) + 1
      this.#lineOf(open.event).push(open)
      this.#length += 1
      this.#noteRedriven(open)
    }
  }

  /** Events. */
  get length(): number {
    return this.#length
  }

  /** Sequences of those that came back from dead letters, ascending; not of all when they are many. */
  get pending(): readonly number[] {
    return [...this.#redriven].slice(0, MOST_PENDING)
  }

  /** Keys. */
  get size(): number {
    return this.#lines.size
  }

  /** The first of each key. */
  *heads(): Generator<OpenEvent> {
    for (const { head } of this.#lines.values()) if (head !== undefined) yield head
  }

  /** The first of an event’s key; undefined: none is open. */
  head(event: StoredEvent): OpenEvent | undefined {
    return this.#lines.get(lineOf(event))?.head
  }

  /** That of a key. */
  headOf(key: string): OpenEvent | undefined {
    return this.#lines.get(`k${key}`)?.head
  }

  /** By its number. */
  get(number: string): OpenEvent | undefined {
    const open = this.#table.get(number)
    return open?.done === false ? open : undefined
  }

  /** Whether no more may wait behind the first of this event’s key. */
  isFull(event: StoredEvent): boolean {
    return this.#length >= MOST_OF_ALL || (this.#lines.get(lineOf(event))?.length ?? 0) >= MOST_OF_ONE
  }

  /** @returns it, when it is the first of its key */
  push(event: StoredEvent, generation: number): OpenEvent | undefined {
    const open = new OpenEvent(this.#next++, { e: event, r: recordOf(generation) })
    this.#table.add(open)
    this.#length += 1
    this.#noteRedriven(open)
    const line = this.#lineOf(event)
    line.push(open)
    return line.length === 1 ? open : undefined
  }

  /** The first of its key comes anew, in its own place. */
  renew(head: OpenEvent, event: StoredEvent, generation: number): void {
    this.#redriven.delete(head.event.sequence)
    head.event = event
    head.record = recordOf(generation)
    this.#noteRedriven(head)
    head.due = 0
    head.halt = undefined
    this.touch(head)
  }

  /** The first of its key has its fate. @returns the next one */
  shift(head: OpenEvent): OpenEvent | undefined {
    const name = lineOf(head.event)
    const line = this.#lines.get(name)
    if (line === undefined || line.head !== head) return undefined
    head.done = true
    this.#table.touch(head)
    this.#length -= 1
    this.#redriven.delete(head.event.sequence)
    line.shift()
    if (line.length === 0) this.#lines.delete(name)
    return line.head
  }

  /** Something of it has changed. */
  touch(open: OpenEvent): void {
    this.#table.touch(open)
  }

  takeChanges(): KeyedChange[] {
    return this.#table.takeChanges()
  }

  entries(): Iterable<KeyedEntry> {
    return this.#table.entries()
  }

  #noteRedriven({ record, event }: OpenEvent): void {
    if (record.generation > 0) this.#redriven.add(event.sequence)
  }

  #lineOf(event: StoredEvent): Line {
    const name = lineOf(event)
    const known = this.#lines.get(name)
    if (known !== undefined) return known
    const line = new Line()
    this.#lines.set(name, line)
    return line
  }
}

function recordOf(generation: number): AttemptRecord {
  return generation === 0 ? FIRST_ATTEMPT : { ...FIRST_ATTEMPT, generation }
}

/** An event without a key has no order to keep. */
function lineOf({ key, source, id, sequence }: StoredEvent): string {
  return key === undefined ? `e${sequence} ${source} ${id}` : `k${key}`
}
