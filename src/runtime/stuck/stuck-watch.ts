// StuckWatch
//
// Ends the process when code that it runs never returns: decide or evolve of an actor, a pipeline, a view. The event loop
// stands still then, and with it commits, heartbeats and the end in good order, so another thread does it. What the
// process had begun is found by whoever goes on (see CarefulStart): of a message that ends its process three times alone,
// the fourth attempt is a dead letter.
//
//   processor -> StuckWatch:    which turn begins, in shared memory
//   clock -> StuckWatch:        beats, for as long as the event loop runs
//   watcher -> process:         SIGKILL, after it has said where it stood
//
// Invariants (tests cite them):
//   SW1  A turn that does not end within the limit ends the process, with a line that says which it was.
import { Worker } from 'node:worker_threads'
import { CATALOGUE } from '../../error/catalogue.js'
import type { StoredEvent } from '../../event/event.js'
import { processorId, type Logic, type Processor } from '../../kernel/processor.js'
import type { Clock } from '../../time/clock.js'
import { BEATS, BYTES, SEQUENCE_AT, SLOT, TEXT_AT, TEXT_BYTES, TEXT_LENGTH, TICKS } from './stuck-layout.js'

export class StuckWatch {
  readonly #numbers: Int32Array
  readonly #sequence: Float64Array
  readonly #text: Buffer
  readonly #worker: Worker
  readonly #stopBeats: () => void
  #slots = 0

  /** @param limit after which a process that stands still is ended, in ms */
  constructor(clock: Clock, limit: number) {
    const shared = new SharedArrayBuffer(TEXT_AT + TEXT_BYTES)
    this.#numbers = new Int32Array(shared, 0, BYTES / 4)
    this.#sequence = new Float64Array(shared, SEQUENCE_AT, 1)
    this.#text = Buffer.from(shared, TEXT_AT)
    const { means } = CATALOGUE.TURN_STUCK
    // without the loaders of this thread: it is JavaScript as it stands
    this.#worker = new Worker(new URL('./stuck-watcher.js', import.meta.url), {
      workerData: { shared, limit, means },
      execArgv: [],
    })
    this.#worker.unref()
    this.#stopBeats = clock.every(limit / TICKS, () => Atomics.add(this.#numbers, BEATS, 1))
  }

  /** The same processor, whose turns are watched. */
  watched(processor: Processor): Processor {
    const slot = (this.#slots += 1)
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread has no origin
    this.#worker.postMessage(processorId(processor))
    const names = processor.kind === 'actor'
    return {
      ...processor,
      start: (memory, onBroken, environment) => {
        const logic = processor.start(memory, onBroken, environment)
        this.#watch(logic, slot, names)
        return logic
      },
    }
  }

  async stop(): Promise<void> {
    this.#stopBeats()
    await this.#worker.terminate()
  }

  #watch(logic: Logic, slot: number, names: boolean): void {
    const numbers = this.#numbers
    const turn = logic.turn.bind(logic)
    logic.turn = (event, onFailure, message) => {
      numbers[SLOT] = slot
      this.#sequence[0] = event.sequence
      numbers[TEXT_LENGTH] = names ? this.#write(event) : 0
      try {
        return turn(event, onFailure, message)
      } finally {
        numbers[SLOT] = 0
      }
    }
  }

  #write({ type, id, key }: StoredEvent): number {
    return this.#text.write(`${type} (${id}) for ${key}`, 'utf8')
  }
}
