import type { StoredMessage } from '../../broker/stored-message.js'
import { fault, isFault, messageOf, type MillraceError } from '../../error/millrace-error.js'
import type { WireMessage } from '../../event/wire.js'
import type { Decision } from '../../kernel/decision.js'
import type { RecordedParking } from '../../kernel/parking/key-parking.js'
import type { SimulatedUnit } from '../../kernel/simulation/simulated-unit.js'
import type { Turn } from '../../kernel/turn.js'

/** One thing that a unit was given: a message of its log, or a decision of its journal. */
export type HistoryItem =
  | { readonly kind: 'message'; readonly message: StoredMessage; readonly parking?: RecordedParking | undefined }
  /** Passed over, because handling it ended the process. */
  | { readonly kind: 'skip'; readonly message: StoredMessage; readonly parking?: RecordedParking | undefined }
  | { readonly kind: 'decision'; readonly decision: Decision }

/** What an item led to. */
export type Taken =
  | { readonly kind: 'turn'; readonly turn: Turn }
  /** It waits for these steps. `moved`: time had to move before it, which was a decision. */
  | { readonly kind: 'waits'; readonly steps: readonly string[]; readonly moved: Turn | undefined }
  | { readonly kind: 'stopped'; readonly error: MillraceError }

/** Gives a unit one item. Never throws. */
export function give(unit: SimulatedUnit, item: HistoryItem): Taken {
  try {
    if (item.kind === 'decision') return { kind: 'turn', turn: unit.decide(item.decision) }
    if (item.kind === 'skip') return { kind: 'turn', turn: unit.skip(item.message, item.parking) }
    const turn = unit.handle(item.message, item.parking)
    if (turn?.message !== undefined) return { kind: 'turn', turn }
    return { kind: 'waits', steps: unit.steps.map(({ name }) => name), moved: turn }
  } catch (error) {
    return { kind: 'stopped', error: asFault(error) }
  }
}

/** What stopped a unit, as a fault. */
export function asFault(error: unknown): MillraceError {
  return isFault(error) ? error : fault('INTERNAL', messageOf(error), { cause: error })
}

/** What one unit was given from the beginning of a log, in order, and what an uninterrupted run made of it. */
export class History {
  readonly messages: readonly StoredMessage[]
  readonly #items: HistoryItem[] = []
  /** By item: sequence of the last message up to it; outputs up to its end; codes of its dead letters. */
  readonly #sequences: number[] = []
  readonly #ends: number[] = []
  readonly #failures: string[] = []
  readonly outputs: WireMessage[] = []

  /** @param messages every message that may be given, oldest first */
  constructor(messages: readonly StoredMessage[]) {
    this.messages = messages
  }

  get length(): number {
    return this.#items.length
  }

  add(item: HistoryItem, turn: Turn): void {
    this.#items.push(item)
    this.#sequences.push(turn.sequence)
    for (const output of turn.outputs) this.outputs.push(output)
    this.#ends.push(this.outputs.length)
    this.#failures.push(failuresOf(turn))
  }

  item(at: number): HistoryItem {
    const item = this.#items[at]
    if (item === undefined) throw new RangeError(`item ${at} of ${this.length}`)
    return item
  }

  /** The item with the message of this sequence; undefined: it was not given. */
  indexOf(sequence: number): number | undefined {
    const at = this.#items.findIndex((item) => item.kind !== 'decision' && item.message.sequence === sequence)
    return at < 0 ? undefined : at
  }

  /** Sequence of the message of an item, or of the one before a decision; 0 before the first. */
  sequence(at: number): number {
    return this.#sequences[at] ?? 0
  }

  /** Outputs that are there when so many items were given. */
  outputsAfter(items: number): number {
    return this.#ends[items - 1] ?? 0
  }

  /** The item that an output is of. */
  itemOf(output: number): number {
    let [low, high] = [0, this.#ends.length]
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((this.#ends[middle] ?? 0) <= output) low = middle + 1
      else high = middle
    }
    return low
  }

  /** Codes of an item’s dead letters as one text, empty for none. */
  failures(at: number): string {
    return this.#failures[at] ?? ''
  }

  get deadLetters(): number {
    return this.#failures.reduce((sum, text) => sum + (text === '' ? 0 : text.split(' ').length), 0)
  }
}

/** Who could not handle it and why, without the particulars. */
export function failuresOf({ deadLetters }: Pick<Turn, 'deadLetters'>): string {
  return deadLetters.length === 0 ? '' : deadLetters.map(({ processor, code }) => `${processor}:${code}`).join(' ')
}
