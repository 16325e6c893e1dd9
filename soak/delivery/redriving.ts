// Redrives some of the dead letters while everything else goes on, as an operator would: again after what interrupts it.
import type { Connection } from '../../src/broker/connection.ts'
import type { DeadLetter } from '../../src/delivery/letters/dead-letter.ts'
import { LetterRecords } from '../../src/delivery/letters/letter-records.ts'
import { RedriveLetters } from '../../src/delivery/letters/redrive-letters.ts'
import { processorsOf } from '../../src/runtime/processors.ts'
import type { Deployment } from '../../src/runtime/deployment.ts'
import { systemClock } from '../../src/time/system-clock.ts'
import { readLetters } from './evidence.ts'

/** One letter in so many is redriven. */
const ONE_IN = 2
const EVERY_MS = 3_000

export class Redriving {
  readonly #connection: Connection
  readonly #deployment: Deployment
  readonly #records: LetterRecords
  readonly #todo = new Map<number, DeadLetter>()
  #next = 0
  #seen = 0
  #redriven = 0

  constructor(connection: Connection, deployment: Deployment) {
    this.#connection = connection
    this.#deployment = deployment
    this.#records = new LetterRecords(connection, systemClock)
  }

  /** Goes on until the signal is aborted. */
  async run(signal: AbortSignal): Promise<void> {
    await this.#records.prepare(1)
    while (!signal.aborted) {
      await new Promise((resolve) => setTimeout(resolve, EVERY_MS))
      await this.#look().catch(() => undefined) // the server is away
      await this.#redrive(signal).catch(() => undefined)
    }
  }

  /** What was chosen and has no fate yet has it; where trouble has left nothing to choose from, something is chosen now. */
  async finish(signal: AbortSignal): Promise<void> {
    if (this.#todo.size > 0) await this.#redrive(signal)
    if (this.#redriven > 0) return
    await this.#look()
    await this.#redrive(signal)
  }

  async #look(): Promise<void> {
    for (const letter of await readLetters(this.#connection, this.#next)) {
      this.#next = letter.number + 1
      if (letter.generation === 0 && (this.#seen += 1) % ONE_IN === 0) this.#todo.set(letter.number, letter)
    }
  }

  async #redrive(signal: AbortSignal): Promise<void> {
    const { registry, handlers = [], streams } = this.#deployment
    const redrive = new RedriveLetters({
      connection: this.#connection,
      clock: systemClock,
      signal,
      records: this.#records,
      registry,
      places: {
        processors: processorsOf(this.#deployment),
        handlers: handlers.map(({ declaration }) => declaration.name),
        streams,
      },
      wait: true,
      load: (number) => Promise.resolve(this.#todo.get(number)),
      onEnd: ({ number, ...outcome }) => {
        if (outcome.kind === 'refused') this.refusals.push(`${number}: ${outcome.error.message}`)
        if (outcome.kind === 'handled' || outcome.kind === 'again') this.#redriven += 1
        // of a key that is parked still it is tried again, as an operator would
        if (outcome.kind !== 'parked') this.#todo.delete(number)
      },
    })
    await redrive.run([...this.#todo.keys()].map((number) => [number]))
  }

  /** Letters that could not be sent back. */
  readonly refusals: string[] = []
}
