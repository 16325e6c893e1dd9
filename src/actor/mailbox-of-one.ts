import type { StoredEvent } from '../event/event.js'
import type { TableEntry } from '../kernel/entry-table.js'
import type { OpenStep, StoredBox } from './mailbox-entries.js'

/** What is kept of one aggregate. */
export class Mailbox implements TableEntry {
  readonly key: string
  mark = 0
  steps: readonly OpenStep[] = []
  readonly waiting: Waiting[] = []
  /** Those before it are taken. */
  head = 0
  /** Commands of timers that came before those of timers that are due before them. */
  early: readonly Waiting[] = []
  /** Settings of timers whose commands have failed: those that are due later do not wait for them. */
  failed: readonly string[] = []
  /** One of those has parked the aggregate, and nothing gets past it. */
  parked = false
  /** Code of the failure that nothing gets past. */
  stuck: string | undefined = undefined

  constructor(key: string) {
    this.key = key
  }

  get length(): number {
    return this.waiting.length - this.head
  }

  /** Whether a command has to wait behind something. */
  get isBusy(): boolean {
    return this.steps.length > 0 || this.length > 0
  }
}

/** A command in one. */
export class Waiting implements TableEntry {
  readonly key: string
  mark = 0
  command: StoredEvent | undefined

  constructor(key: string, command: StoredEvent) {
    this.key = key
    this.command = command
  }
}

/** One with nothing left in it is gone. */
export function storedBox({ steps, stuck, length, early, failed, parked }: Mailbox): StoredBox | undefined {
  if (steps.length === 0 && length === 0 && early.length === 0 && failed.length === 0) return undefined
  return {
    ...(steps.length > 0 ? { o: steps } : {}),
    ...(stuck === undefined ? {} : { x: stuck }),
    ...(failed.length > 0 ? { g: failed } : {}),
    ...(parked ? { p: 1 } : {}),
  }
}
