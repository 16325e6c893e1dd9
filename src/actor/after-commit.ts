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

/** What is to be done about the last turns once they are stored, and not before (AL8). */
export class AfterCommit {
  readonly #answer: ((command: StoredEvent, outcome: Outcome) => void) | undefined
  readonly #recent = new Map<string, Outcome>()
  #stored: { readonly aggregate: ResidentAggregate; readonly snapshot: boolean }[] = []
  #answers: Answer[] = []

  constructor(answer?: (command: StoredEvent, outcome: Outcome) => void) {
    this.#answer = answer
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
    const [stored, answers] = [this.#stored, this.#answers]
    if (stored.length === 0 && answers.length === 0) return undefined
    this.#stored = []
    this.#answers = []
    return () => {
      for (const { aggregate, snapshot } of stored) {
        aggregate.pins -= 1
        if (snapshot) aggregate.snapshotOpen = false
      }
      for (const answer of answers) this.#tell(answer)
    }
  }

  #tell({ command, outcome }: Answer): void {
    const told = outcome ?? this.#recent.get(command.id)
    if (told === undefined) return
    if (outcome !== undefined && outcome.kind !== 'failed') this.#remember(command.id, outcome)
    this.#answer?.(command, told)
  }

  #remember(id: string, outcome: Outcome): void {
    this.#recent.set(id, outcome)
    if (this.#recent.size <= RECENT) return
    for (const oldest of this.#recent.keys()) {
      this.#recent.delete(oldest)
      return
    }
  }
}
