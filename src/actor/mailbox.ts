// Mailboxes
//
// Commands that wait because a step of their aggregate is open, and the steps that are: the keyed state of an actor's
// unit. An aggregate for which nothing is open and nothing waits has no entry.
//
//   turn -> Mailboxes:     push(id, command), open(id, step)
//   kernel -> Mailboxes:   takeChanges(), entries()
//
// Invariants (tests cite them):
//   AL3  Commands of an aggregate are decided in the order of the log, also those that waited, whatever is killed.
import type { StoredEvent } from '../event/event.js'
import type { StepOutcome } from '../kernel/decision.js'
import type { KeyedChange, KeyedEntry } from '../kernel/processor.js'
import { EntryTable, insideKey } from '../kernel/entry-table.js'
import {
  EARLY,
  inOrder,
  readNumbered,
  WAITING,
  type Numbered,
  type OpenStep,
  type StoredBox,
} from './mailbox-entries.js'
import { Mailbox, storedBox, Waiting } from './mailbox-of-one.js'

/** Commands that may wait: behind one aggregate, and in one unit. Then the unit waits. */
const MOST_OF_ONE = 10_000
const MOST_OF_ALL = 50_000

export class Mailboxes {
  readonly #boxes = new EntryTable<Mailbox>(storedBox)
  readonly #commands = new EntryTable<Waiting>(
    ({ command }) => command,
    (key) => `${WAITING}${key}`,
  )
  readonly #early = new EntryTable<Waiting>(
    ({ command }) => command,
    (key) => `${EARLY}${key}`,
  )
  #next = 1
  #length = 0

  /** @throws AGGREGATE_STATE_INVALID an entry that cannot be read */
  constructor(entries: Iterable<KeyedEntry> = []) {
    const numbered: Numbered[] = []
    for (const { key, value } of entries) {
      const read = readNumbered(key, value)
      if (read === undefined) this.#load(insideKey(key), value as StoredBox)
      else numbered.push(read)
    }
    for (const { number, command, early } of inOrder(numbered)) {
      const entry = new Waiting(String(number), command)
      const box = this.#boxOf(command.key ?? '')
      this.#next = Math.max(this.#next, number + 1)
      if (early) {
        this.#early.load(entry)
        box.early = [...box.early, entry]
        continue
      }
      this.#commands.load(entry)
      box.waiting.push(entry)
      this.#length += 1
    }
  }

  /** What is kept of an aggregate; undefined when it is idle. */
  get(id: string): Mailbox | undefined {
    const box = this.#boxes.get(id)
    return box?.isBusy === true ? box : undefined
  }

  /** All that are not idle. */
  *busy(): Generator<Mailbox> {
    for (const box of this.#boxes.values()) if (box.isBusy) yield box
  }

  /** What is kept of an aggregate, idle or not. */
  peek(id: string): Mailbox | undefined {
    return this.#boxes.get(id)
  }

  /** Commands that wait. */
  get length(): number {
    return this.#length
  }

  /** Whether no more may wait behind this one. */
  isFull(box: Mailbox): boolean {
    return box.length >= MOST_OF_ONE || this.#length >= MOST_OF_ALL
  }

  /** A step begins. */
  open(id: string, step: OpenStep): void {
    const box = this.#boxOf(id)
    box.steps = [...box.steps, step]
    this.#boxes.touch(box)
  }

  /** A step has ended; what follows from it is decided next. */
  ended(box: Mailbox, step: OpenStep, outcome: StepOutcome): void {
    box.steps = box.steps.map((other) => (other === step ? { ...step, outcome } : other))
    this.#boxes.touch(box)
  }

  /** Nothing more is owed for a step. */
  close(box: Mailbox, step: OpenStep): void {
    box.steps = box.steps.filter((other) => other !== step)
    box.stuck = undefined
    this.#boxes.touch(box)
  }

  push(id: string, command: StoredEvent): void {
    const box = this.#boxOf(id)
    const entry = new Waiting(String(this.#next++), command)
    this.#commands.add(entry)
    box.waiting.push(entry)
    this.#length += 1
  }

  first(box: Mailbox): StoredEvent | undefined {
    return box.waiting[box.head]?.command
  }

  /** The first one is done with. */
  shift(box: Mailbox): void {
    const entry = box.waiting[box.head]
    if (entry === undefined) return
    entry.command = undefined
    this.#commands.touch(entry)
    box.head += 1
    this.#length -= 1
    if (box.head >= box.waiting.length || box.head > 1_000) {
      box.waiting.splice(0, box.head)
      box.head = 0
    }
    if (box.stuck !== undefined) this.stick(box, undefined)
  }

  /** Keeps the command of a timer until those of earlier ones have come. */
  keepEarly(id: string, command: StoredEvent): void {
    const box = this.#boxOf(id)
    const entry = new Waiting(String(this.#next++), command)
    this.#early.add(entry)
    box.early = [...box.early, entry]
  }

  /** Commands of timers that were kept so. */
  early(id: string): readonly StoredEvent[] {
    const box = this.#boxes.get(id)
    return box === undefined ? [] : box.early.flatMap(({ command }) => command ?? [])
  }

  /** Aggregates that have such commands, and no failure that nothing gets past. */
  *withEarly(): Generator<string> {
    for (const { key, early, parked } of this.#boxes.values()) if (early.length > 0 && !parked) yield key
  }

  /** The command of a timer has failed. @param parks whether its aggregate is parked for it */
  timerFailed(id: string, setting: string, parks: boolean): void {
    const box = this.#boxOf(id)
    if (!box.failed.includes(setting)) box.failed = [...box.failed, setting]
    box.parked = parks
    this.#boxes.touch(box)
  }

  /** An aggregate goes on after such a failure. @param timers settings that count now; undefined: as before */
  timersGoOn(box: Mailbox, timers?: readonly string[]): void {
    box.parked = false
    if (timers !== undefined) box.failed = box.failed.filter((setting) => timers.includes(setting))
    this.#boxes.touch(box)
  }

  /** One of them is done with. */
  dropEarly(id: string, command: StoredEvent): void {
    const box = this.#boxes.get(id)
    const entry = box?.early.find((one) => one.command === command)
    if (box === undefined || entry === undefined) return
    entry.command = undefined
    this.#early.touch(entry)
    box.early = box.early.filter((one) => one !== entry)
    this.#boxes.touch(box)
  }

  /** Nothing gets past the first one; undefined: it may be tried. */
  stick(box: Mailbox, code: string | undefined): void {
    box.stuck = code
    this.#boxes.touch(box)
  }

  takeChanges(): KeyedChange[] {
    return [...this.#boxes.takeChanges(), ...this.#commands.takeChanges(), ...this.#early.takeChanges()]
  }

  *entries(): Generator<KeyedEntry> {
    yield* this.#boxes.entries()
    yield* this.#commands.entries()
    yield* this.#early.entries()
  }

  #boxOf(id: string): Mailbox {
    const known = this.#boxes.get(id)
    if (known !== undefined) return known
    const box = new Mailbox(id)
    this.#boxes.add(box)
    return box
  }

  #load(id: string, { o = [], x, g = [], p }: StoredBox): void {
    const box = new Mailbox(id)
    box.steps = o
    box.stuck = x
    box.failed = g
    box.parked = p !== undefined
    this.#boxes.load(box)
  }
}
