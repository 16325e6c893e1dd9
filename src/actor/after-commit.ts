import type { StoredEvent } from '../event/event.js'
import type { ResidentAggregate } from './resident-aggregate.js'
import type { Outcome } from './outcome.js'

/** Outcomes that are remembered for commands that come again. */
const RECENT = 2_000

interface Answer {
  readonly command: StoredEvent
  /** undefined: that of the first time, if it is known by then. */
  readonly outcome: Outcome | undefined
}

/** A decision. @see AfterCommit.stored */
interface Stored {
  readonly aggregate: ResidentAggregate
  readonly snapshot: boolean
}

/** What is to be done about the last turns once they are stored, and not before (AL8). */
export class AfterCommit {
  readonly #answer: ((command: StoredEvent, outcome: Outcome) => void) | undefined
  /** By aggregate and command: one id may stand for commands to several aggregates. */
  readonly #recent = new Map<string, Outcome>()
  readonly #isAsked: (command: StoredEvent) => boolean
  #stored: Stored[] = []
  #answers: Answer[] = []

  /** @param isAsked whether anybody waits for what becomes of a command. Default: of every one */
  constructor(
    answer?: (command: StoredEvent, outcome: Outcome) => void,
    isAsked: (command: StoredEvent) => boolean = () => true,
  ) {
    this.#answer = answer
    this.#isAsked = isAsked
  }

  /** Whether a command has to be answered. */
  isAsked(command: StoredEvent): boolean {
    return this.#answer !== undefined && this.#isAsked(command)
  }

  /** The aggregate stays in memory until its decision is stored. @param snapshot whether one is stored with it */
  stored(aggregate: ResidentAggregate, snapshot: boolean): void {
    aggregate.pins += 1
    if (snapshot) aggregate.snapshotOpen = true
    this.#stored.push({ aggregate, snapshot })
  }

  tell(command: StoredEvent, outcome: Outcome): void {
    if (this.#answer !== undefined) this.#answers.push({ command, outcome })
  }

  /** A command that was decided before: whoever asks is told what became of it then, where that is known here. */
  repeat(command: StoredEvent): void {
    if (this.#answer !== undefined) this.#answers.push({ command, outcome: undefined })
  }

  /** What is to be done when everything since the last call is stored. */
  take(): (() => void) | undefined {
    const stored = this.#stored
    const answers = this.#answers
    if (stored.length === 0 && answers.length === 0) return undefined
    this.#stored = []
    if (answers.length === 0) return () => unpin(stored)
    this.#answers = []
    return () => {
      unpin(stored)
      for (const answer of answers) this.#tell(answer)
    }
  }

  #tell({ command, outcome }: Answer): void {
    const told = outcome ?? this.#recent.get(placeOf(command))
    if (told === undefined) return
    if (outcome !== undefined && outcome.kind !== 'failed') this.#remember(placeOf(command), outcome)
    this.#answer?.(command, told)
  }

  #remember(place: string, outcome: Outcome): void {
    this.#recent.set(place, outcome)
    if (this.#recent.size <= RECENT) return
    for (const oldest of this.#recent.keys()) {
      this.#recent.delete(oldest)
      return
    }
  }
}

function unpin(stored: readonly Stored[]): void {
  for (const { aggregate, snapshot } of stored) {
    aggregate.pins -= 1
    if (snapshot) aggregate.snapshotOpen = false
  }
}

function placeOf({ id, key = '' }: StoredEvent): string {
  return `${id.length}:${id}${key}`
}
