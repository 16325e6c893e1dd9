import type { StreamDeclaration } from '../broker/define-stream.js'
import type { MillraceError } from '../error/millrace-error.js'
import type { EventDraft, StoredEvent } from '../event/event.js'

/**
 * One thing that the kernel runs: it reads a stream in log order and writes what follows from it to a stream.
 * Pipelines and rules are processors; the kernel knows no more of them than this.
 */
export interface Processor {
  readonly kind: 'pipeline' | 'rule' | 'contracts'
  /** Unique among processors of its kind; part of its commit subject and of the ids of its outputs. */
  readonly name: string
  /** Changes when its code or text changes. */
  readonly version: string
  readonly from: {
    readonly stream: StreamDeclaration
    /** undefined: every type. */ readonly types?: readonly string[]
  }
  readonly to: { readonly stream: StreamDeclaration }
  /** `none`: outputs follow from the event alone. `snapshot`: state is snapshotted and rebuilt from the log. */
  readonly memory: 'none' | 'snapshot'
  /**
   * Starts from a snapshot that `Logic.snapshot` made, or afresh (undefined).
   * @param onBroken for what goes wrong while no event is being handled; stops the processor
   */
  start(snapshot: unknown, onBroken: (error: MillraceError) => void): Logic
}

/** A processor at work. Outputs are a function of the events it was given, in order, since its start. */
export interface Logic {
  /**
   * Handles one event and returns what follows from it, synchronously.
   * What it throws makes the event a dead letter, unless the error’s disposition is `crash`, which stops the processor.
   * @param onFailure for what fails beside outputs that are good: the event becomes a dead letter, the outputs stay
   */
  turn(event: StoredEvent, onFailure: (error: unknown) => void): readonly EventDraft[]
  /** What it passed over without a dead letter, by name, since ever: late events, for instance. Shown with its status. */
  readonly notices?: Readonly<Record<string, number>>
  /** The state as plain data; undefined for a processor without memory. */
  snapshot(): unknown
  stop(): void
}

/** Name of the processor on the wire: its durable consumer, its commit subject. */
export function processorId({ kind, name }: Pick<Processor, 'kind' | 'name'>): string {
  return `${kind}-${name}`
}

/** CloudEvents source of a processor’s outputs. */
export function processorSource({ kind, name }: Pick<Processor, 'kind' | 'name'>): string {
  return `/millrace/${kind}s/${name}`
}
