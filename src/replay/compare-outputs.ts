import type { Connection } from '../broker/connection.js'
import type { StoredMessage } from '../broker/stored-message.js'
import { processorId, type Processor } from '../kernel/processor.js'
import type { Clock } from '../time/clock.js'
import { livePositions, type LivePositions } from './live-positions.js'
import { marksOf, type OutputIndex, type OutputMark } from './output-index.js'
import { outputPlaces } from './output-places.js'
import { readRange } from './read-range.js'
import { readSource } from './source-stream.js'

export interface CompareOptions {
  readonly connection: Connection
  readonly clock: Clock
  readonly signal?: AbortSignal
  readonly processor: Processor
  /** Types of event that it puts out. */
  readonly outputTypes: readonly string[]
  /** What the replay put out. Empty afterwards. */
  readonly index: OutputIndex
  /** The input sequences that were replayed. */
  readonly first: number
  readonly last: number
}

/** How the outputs of a replay differ from those that the live processor has stored for the same inputs. */
export interface Comparison {
  /** Input sequences that were compared: the live processor may not be as far as the replay, some of its units less far. */
  readonly first: number
  readonly last: number
  /** Same id and same content. */
  readonly same: number
  /** Same id, other content. */
  readonly different: number
  readonly onlyInReplay: number
  readonly onlyStored: number
  /** Outputs of the replay for inputs that the live processor has not handled yet. */
  readonly ahead: number
  /** Up to ten ids of each kind of difference. */
  readonly examples: {
    readonly different: readonly string[]
    readonly onlyInReplay: readonly string[]
    readonly onlyStored: readonly string[]
  }
}

const EXAMPLES = 10

/**
 * Compares by output id. An output whose id the processor’s author chose is compared when the replay put it out too;
 * stored alone it cannot be told whose it is.
 * @throws STREAM_NOT_FOUND, COMMIT_RECORD_INVALID and errors of the broker
 */
export async function compareOutputs(options: CompareOptions): Promise<Comparison> {
  const tally = new Tally(options, await livePositions(options.connection, options.processor))
  await readStored(options, tally)
  return tally.finish()
}

/** Whether something was compared and nothing of it differs. */
export function isSame({ first, last, different, onlyInReplay, onlyStored }: Comparison): boolean {
  return last >= first && different + onlyInReplay + onlyStored === 0
}

async function readStored(
  { connection, clock, signal, processor, outputTypes, ...range }: CompareOptions,
  tally: Tally,
): Promise<void> {
  for (const { stream, filters, shared } of outputPlaces(processor, outputTypes)) {
    const { first, last } = await readSource(connection, stream)
    await readRange(connection, {
      stream,
      filters,
      // in the stream that it reads, an output comes after its cause
      first: processor.from.stream.name === stream ? Math.max(first, range.first) : first,
      last,
      clock,
      signal,
      take: (messages) => messages.forEach((message) => tally.stored(message, shared)),
    })
    signal?.throwIfAborted()
  }
}

class Tally {
  readonly #index: OutputIndex
  readonly #first: number
  readonly #last: number
  readonly #live: LivePositions
  readonly #ownId: RegExp
  readonly #seen = new Set<string>()
  readonly #examples = { different: [] as string[], onlyInReplay: [] as string[], onlyStored: [] as string[] }
  readonly #counts = { same: 0, different: 0, onlyInReplay: 0, onlyStored: 0, ahead: 0 }

  constructor({ processor, index, first, last }: CompareOptions, live: LivePositions) {
    this.#index = index
    this.#first = first
    this.#last = Math.min(last, live.furthest)
    this.#live = live
    // the shape that outputId gives: processor, partition, sequence of the cause, ordinal; names have no special character
    this.#ownId = new RegExp(`^${processorId(processor)}-(\\d+)-(\\d+)-\\d+$`)
  }

  /** @param shared it may come a second time, from another place */
  stored(message: StoredMessage, shared: boolean): void {
    for (const mark of marksOf(message)) {
      if (shared && this.#seen.has(mark.identity)) continue
      if (shared) this.#seen.add(mark.identity)
      this.#mark(mark)
    }
  }

  #mark(mark: OutputMark): void {
    const replayed = this.#index.take(mark.identity)
    if (replayed === undefined) {
      const [, partition, cause] = (this.#ownId.exec(mark.id) ?? []).map(Number)
      if (partition === undefined || cause === undefined) return
      if (cause >= this.#first && cause <= this.#reached(partition)) this.#note('onlyStored', mark.id)
    } else if (replayed.fingerprint === mark.fingerprint) this.#counts.same += 1
    else this.#note('different', mark.id)
  }

  finish(): Comparison {
    for (const { id, cause, partition } of this.#index.left)
      if (cause > this.#reached(partition)) this.#counts.ahead += 1
      else this.#note('onlyInReplay', id)
    return { first: this.#first, last: this.#last, ...this.#counts, examples: this.#examples }
  }

  #reached(partition: number): number {
    return Math.min(this.#last, this.#live.of(partition))
  }

  #note(kind: keyof Comparison['examples'], id: string): void {
    this.#counts[kind] += 1
    if (this.#examples[kind].length < EXAMPLES) this.#examples[kind].push(id)
  }
}
