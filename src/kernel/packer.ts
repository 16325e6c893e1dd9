import { OutputPacker } from '../event/pack-outputs.js'
import type { WireMessage } from '../event/wire.js'

/** Collects the outputs of one commit as the messages that hold them. */
export interface Packer {
  /** Messages so far. */
  readonly count: number
  /** Outputs so far. */
  readonly added: number
  /** Payload so far. */
  readonly bytes: number
  add(output: WireMessage): void
  /** Takes out again what was added after the first `added` outputs. */
  cut(added: number): void
  messages(): WireMessage[]
}

/** The stream that packs are written to: its root, and into how many partitions it spreads its keys. */
export interface Packing {
  readonly root: string
  readonly partitions: number
}

/** @param packing of the output stream, when outputs may share messages */
export function packer(packing: Packing | undefined): Packer {
  return packing === undefined ? new Single() : new OutputPacker(packing)
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

  cut(added: number): void {
    for (const { data } of this.#messages.splice(added)) this.#bytes -= data.length
  }

  messages(): WireMessage[] {
    return this.#messages
  }
}
