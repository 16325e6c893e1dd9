import { fault } from '../error/millrace-error.js'
import type { StoredEvent } from '../event/event.js'
import type { StepOutcome } from '../kernel/decision.js'
import type { KeyedEntry, KeyedPart, Regrouping } from '../kernel/processor.js'
import { insideKey } from '../kernel/entry-table.js'

/** A step that a decision has begun, as plain data. */
export interface OpenStep {
  readonly id: string
  readonly name: string
  readonly input: unknown
  readonly correlationId: string
  /** Id of the command whose decision has begun it. */
  readonly causationId: string
  /** How it ended, when the command that this became could not be decided yet. */
  readonly outcome?: StepOutcome
}

/** Begins the key of a command that waits in the state log; a number follows, in the order in which they came. */
export const WAITING = '\0w'
/** And of a command of a timer that came too early. */
export const EARLY = '\0t'

/** What is stored of one aggregate. */
export interface StoredBox {
  readonly o?: readonly OpenStep[]
  readonly x?: string
  /** Settings of timers whose commands have failed: none waits for them. */
  readonly g?: readonly string[]
  /** One of them has parked the aggregate. */
  readonly p?: 1
}

/** A command in a mailbox. */
export interface Numbered {
  readonly number: number
  readonly early: boolean
  readonly command: StoredEvent
}

/** Reads the entry of a command. @returns undefined for that of an aggregate @throws AGGREGATE_STATE_INVALID */
export function readNumbered(key: string, value: unknown): Numbered | undefined {
  const early = key.startsWith(EARLY)
  if (!early && !key.startsWith(WAITING)) return undefined
  const command = value as StoredEvent | null
  if (typeof command?.key !== 'string' || typeof command.type !== 'string')
    throw fault('AGGREGATE_STATE_INVALID', 'an entry of a mailbox is no command')
  return { number: Number(key.slice(WAITING.length)), early, command }
}

/** As they came. */
export function inOrder(numbered: readonly Numbered[]): readonly Numbered[] {
  return [...numbered].sort((one, other) => one.number - other.number)
}

/** What the units keep that take keys over from others. @throws AGGREGATE_STATE_INVALID */
export function regroupMailboxes({ parts, takes }: Regrouping): KeyedPart {
  const entries: KeyedEntry[] = []
  let numbers = 0
  let time = 0
  for (const { entries: own, basis } of parts) {
    time = Math.max(time, (basis as { time?: number } | null)?.time ?? 0)
    const numbered: Numbered[] = []
    for (const { key, value } of own) {
      const read = readNumbered(key, value)
      if (read !== undefined) numbered.push(read)
      else if (takes(insideKey(key))) entries.push({ key, value })
    }
    // the commands of an aggregate were in one unit, which has numbered them as they came
    for (const { early, command } of inOrder(numbered))
      if (takes(command.key)) entries.push({ key: `${early ? EARLY : WAITING}${(numbers += 1)}`, value: command })
  }
  return { entries, basis: { time } }
}
