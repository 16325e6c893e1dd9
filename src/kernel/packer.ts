import type { WireMessage } from '../event/wire.js'

/** Collects the outputs of one commit as the messages that hold them. */
export interface Packer {
  /** Messages so far. */
  readonly count: number
  /** Outputs so far. */
  readonly added: number
  readonly bytes: number
  add(output: WireMessage): void
  messages(): WireMessage[]
}

/** @param partitions of the output stream, when outputs may share messages */
export function packer(partitions: number | undefined): Packer {
  void partitions
  return new Single()
}

class Single implements Packer {
  readonly #messages: WireMessage[] = []
  #bytes = 0

  get count(): number {
    return this.#messages.length
  }

  get added(): number {
    return this.#messages.length
  }

  get bytes(): number {
    return this.#bytes
  }

  add(output: WireMessage): void {
    this.#messages.push(output)
    this.#bytes += output.data.length
  }

  messages(): WireMessage[] {
    return this.#messages
  }
}
