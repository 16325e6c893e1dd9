import type { StoredMessage } from '../broker/stored-message.js'
import type { MillraceError } from '../error/millrace-error.js'
import { decodeHeaderValue } from '../event/header-value.js'
import type { Registry } from '../event/registry.js'
import type { WireMessage } from '../event/wire.js'
import type { Logic, Processor } from '../kernel/processor.js'
import { partitionOfCause } from '../kernel/partition-of-cause.js'
import { readInput, runTurn } from '../kernel/run-turn.js'
import { eventLine } from './event-line.js'
import { LineWriter, type WriteText } from './line-writer.js'
import { OutputIndex, wireHeaders } from './output-index.js'
import type { Rejected, Sink } from './sink.js'

export interface DryRunOptions {
  readonly processor: Processor
  readonly registry: Registry
  /** Where its outputs go as NDJSON; without it they are only counted. */
  readonly write?: WriteText | undefined
  /** Keeps what is needed to compare the outputs with the stored ones: some 200 bytes each. */
  readonly index?: OutputIndex | undefined
  /** Told of each event that would become a dead letter. */
  readonly onRejected?: (rejected: Rejected) => void
}

export interface DryRunSummary {
  /** Events that it was given. */
  readonly events: number
  readonly outputs: number
  readonly outputsByType: Readonly<Record<string, number>>
  /** Events that would have become dead letters. */
  readonly deadLetters: number
}

/** A pipeline or a rule at work on history. */
export interface DryRun extends Sink {
  readonly summary: DryRunSummary
}

/**
 * Runs a processor over what is replayed, by the kernel’s own turns, started afresh: its outputs have the ids that they
 * have live, and nothing is published. A processor with memory gives the live outputs only when it is given the log
 * from where the live one began.
 * @throws what stops a live processor too: EMITTED_OUTSIDE_TURN, PIPELINE_COMPLETED
 */
export function dryRun(options: DryRunOptions): DryRun {
  return new DryRunSink(options)
}

class DryRunSink implements DryRun {
  /** A turn is one of a message, and numbers the outputs of all events in it. */
  readonly whole = true
  readonly #options: DryRunOptions
  readonly #logic: Logic
  readonly #lines: LineWriter | undefined
  readonly #byType = new Map<string, number>()
  #events = 0
  #outputs = 0
  #deadLetters = 0
  #broken: MillraceError | undefined

  constructor(options: DryRunOptions) {
    this.#options = options
    this.#lines = options.write === undefined ? undefined : new LineWriter(options.write)
    this.#logic = options.processor.start({ kind: 'fresh' }, (error) => (this.#broken = error))
  }

  get rejected(): number {
    return this.#deadLetters
  }

  get summary(): DryRunSummary {
    return {
      events: this.#events,
      outputs: this.#outputs,
      outputsByType: Object.fromEntries([...this.#byType].sort(([a], [b]) => (a < b ? -1 : 1))),
      deadLetters: this.#deadLetters,
    }
  }

  take(messages: readonly StoredMessage[]): void | Promise<void> {
    const lines = this.#lines
    if (lines !== undefined) return this.#takeAndWrite(messages, lines)
    for (const message of messages) this.#turn(message)
  }

  end(): void {
    this.#logic.stop()
    if (this.#broken !== undefined) throw this.#broken
  }

  async #takeAndWrite(messages: readonly StoredMessage[], lines: LineWriter): Promise<void> {
    for (const message of messages)
      for (const output of this.#turn(message)) {
        const line = eventLine(wireHeaders(output), output.data)
        if (line.kind === 'line' && lines.add(line.text)) await lines.flush()
      }
    await lines.flush()
  }

  #turn(message: StoredMessage): readonly WireMessage[] {
    if (this.#broken !== undefined) throw this.#broken
    const { processor, registry, index } = this.#options
    const context = { processor, logic: this.#logic, registry }
    const input = readInput(context, message)
    const { outputs, deadLetters } = runTurn(context, message, input)
    this.#events += input.length
    for (const deadLetter of deadLetters) this.#reject(message.sequence, deadLetter)
    for (const output of outputs) {
      this.#count(output)
      index?.add(message.sequence, partitionOfCause(context.processor, message.subject), output)
    }
    return outputs
  }

  #count(output: WireMessage): void {
    const type = decodeHeaderValue(wireHeaders(output).get('ce-type') ?? '') ?? ''
    this.#outputs += 1
    this.#byType.set(type, (this.#byType.get(type) ?? 0) + 1)
  }

  #reject(sequence: number, { code, detail }: { readonly code: string; readonly detail: string }): void {
    this.#deadLetters += 1
    this.#options.onRejected?.({ sequence, code, detail })
  }
}
