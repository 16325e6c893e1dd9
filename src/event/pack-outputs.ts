import { PackableEvent } from './packable-event.js'
import { memberOf, sizeInPack, writePack, type PackMember } from './packed.js'
import { partitionOf } from './partition.js'
import type { WireMessage } from './wire.js'

export interface PackOptions {
  /** First tokens of the subjects of the stream that is written; a message elsewhere stays as it is. */
  readonly root: string
  /** Into how many partitions that stream spreads its keys. */
  readonly partitions: number
  /** Most bytes of a pack; well below what the server takes as one message. Default 128 KiB. */
  readonly maxBytes?: number
  /** Most events of a pack. Default 100. */
  readonly maxEvents?: number
}

/**
 * Puts outputs that follow one another in their partition, and are of one type, into one message each, published to the
 * subject of its first event. Whoever reads a partition meets its events in the order in which they were put out,
 * whatever their types: an order by type alone would make events of the others late. What stands alone stays as it is.
 * @param outputs in binary mode, as encodeEvent writes them, to `<root>.<key token>.<type>`
 */
export function packOutputs(outputs: Iterable<WireMessage>, options: PackOptions): WireMessage[] {
  const packer = new OutputPacker(options)
  for (const output of outputs) packer.add(output)
  return packer.messages()
}

/** One message to be: a pack, or an output that stands alone. */
interface Pack {
  readonly first: WireMessage
  /** undefined: nothing may join it. */
  readonly type: string | undefined
  readonly partition: number
  /** What was open in the partition before. */
  readonly before: Pack | undefined
  readonly members: PackMember[]
  /** How many outputs it has, and what they take as a pack. */
  events: number
  bytes: number
}

/** The same, output by output, for who has to stop when a batch is full. */
export class OutputPacker {
  readonly #root: string
  readonly #dottedRoot: string
  readonly #partitions: number
  readonly #maxBytes: number
  readonly #maxEvents: number
  readonly #packs: Pack[] = []
  /** The pack of each output, in order of adding. */
  readonly #log: Pack[] = []
  /** By partition: the last pack, which the next output may join. */
  readonly #last: (Pack | undefined)[] = []
  #bytes = 0

  constructor({ root, partitions, maxBytes = 128 * 1024, maxEvents = 100 }: PackOptions) {
    this.#root = root
    this.#dottedRoot = `${root}.`
    this.#partitions = partitions
    this.#maxBytes = maxBytes
    this.#maxEvents = maxEvents
  }

  /** Messages so far. */
  get count(): number {
    return this.#packs.length
  }

  /** Outputs so far. */
  get added(): number {
    return this.#log.length
  }

  /** Payload of the messages so far. */
  get bytes(): number {
    return this.#bytes
  }

  add(output: WireMessage): void {
    if (output instanceof PackableEvent && output.root === this.#root)
      return this.#add(output, output.partition, output.type, output)
    const { subject } = output
    const keyAt = this.#dottedRoot.length
    const typeAt = subject.startsWith(this.#dottedRoot) ? subject.indexOf('.', keyAt) : -1
    if (typeAt < 0) return this.#begin(output, -1, undefined, undefined)
    const partition = partitionOf(subject.slice(keyAt, typeAt), this.#partitions)
    this.#add(output, partition, subject.slice(typeAt + 1), memberOf(output))
  }

  #add(output: WireMessage, partition: number, type: string, member: PackMember | undefined): void {
    const last = this.#last[partition]
    if (member === undefined || last?.type !== type || !this.#fits(last, member))
      return this.#begin(output, partition, member === undefined ? undefined : type, member)
    this.#bytes -= sizeOf(last)
    last.members.push(member)
    last.events += 1
    last.bytes += sizeInPack(member)
    this.#bytes += sizeOf(last)
    this.#log.push(last)
  }

  /** Takes out again what was added after the first `added` outputs. */
  cut(added: number): void {
    while (this.#log.length > added) {
      const pack = this.#log.pop() as Pack
      this.#bytes -= sizeOf(pack)
      pack.events -= 1
      const member = pack.members.pop()
      pack.bytes -= member === undefined ? 0 : sizeInPack(member)
      if (pack.events > 0) this.#bytes += sizeOf(pack)
      else {
        this.#packs.pop()
        if (pack.partition >= 0) this.#last[pack.partition] = pack.before
      }
    }
  }

  /** The messages that hold the outputs. */
  messages(): WireMessage[] {
    return this.#packs.map(({ first, members }) =>
      members.length < 2 ? first : { subject: first.subject, ...writePack(members) },
    )
  }

  #fits({ events, bytes }: Pack, member: PackMember): boolean {
    return events < this.#maxEvents && bytes + sizeInPack(member) <= this.#maxBytes
  }

  #begin(first: WireMessage, partition: number, type: string | undefined, member: PackMember | undefined): void {
    const before = partition < 0 ? undefined : this.#last[partition]
    const members = member === undefined ? [] : [member]
    const bytes = 1 + (member === undefined ? 0 : sizeInPack(member))
    const pack: Pack = { first, type, partition, before, members, events: 1, bytes }
    if (partition >= 0) this.#last[partition] = pack
    this.#packs.push(pack)
    this.#log.push(pack)
    this.#bytes += sizeOf(pack)
  }
}

/** Bytes of payload: one event alone is not written as a pack. */
function sizeOf({ events, bytes, first }: Pack): number {
  return events > 1 ? bytes : first.data.length
}
