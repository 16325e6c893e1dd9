import type { Completion } from './complete.js'
import { outputId } from './identity.js'

/** Which output of a processor it is: its id is made of that. */
export interface OutputIdentity {
  readonly processor: string
  readonly partition: number
  /** Of the message that caused it, or that came before the decision that did. */
  readonly sequence: number
  /** Position among the outputs of that sequence, from 0. */
  readonly ordinal: number
}

/** What the kernel knows about an output. Its id becomes a text only for who asks: nearly every one is written as bytes. */
export class OutputCompletion implements Completion, OutputIdentity {
  readonly processor: string
  readonly partition: number
  readonly sequence: number
  readonly ordinal: number
  readonly source: string
  readonly time: number
  readonly correlationId: string | undefined
  readonly causationId: string | undefined

  constructor({ processor, partition, sequence, ordinal }: OutputIdentity, rest: Omit<Completion, 'id'>) {
    this.processor = processor
    this.partition = partition
    this.sequence = sequence
    this.ordinal = ordinal
    this.source = rest.source
    this.time = rest.time
    this.correlationId = rest.correlationId
    this.causationId = rest.causationId
  }

  get id(): string {
    return outputId(this.processor, this.partition, this.sequence, this.ordinal)
  }
}
