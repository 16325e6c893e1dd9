import type { PackMember } from './packed.js'
import { headersOf } from './encode.js'
import { publishSubject } from './subject.js'
import type { WireMessage } from './wire.js'

/**
 * An event on its way out that is written as the member of a pack already. When it stands alone after all, it is read
 * back from there.
 */
export class PackableEvent implements WireMessage, PackMember {
  readonly root: string
  readonly type: string
  /** Of the stream that it goes to. */
  readonly partition: number
  readonly page: Buffer
  readonly from: number
  readonly to: number
  readonly #head: number

  /** @param head how many bytes come before its data, or before the closing brace when it has none; all are ASCII */
  constructor(root: string, type: string, partition: number, { page, from, to }: PackMember, head: number) {
    this.root = root
    this.type = type
    this.partition = partition
    this.page = page
    this.from = from
    this.to = to
    this.#head = head
  }

  get subject(): string {
    return publishSubject(this.root, this.#attributes['partitionkey'], this.type)
  }

  get headers(): WireMessage['headers'] {
    const { id = '', source = '', time = '', partitionkey, correlationid, causationid, dataversion } = this.#attributes
    return headersOf({
      id,
      source,
      type: this.type,
      version: Number(dataversion ?? 1),
      time: Date.parse(time),
      key: partitionkey,
      correlationId: correlationid,
      causationId: causationid,
      attributes: {},
    })
  }

  get data(): Uint8Array {
    return this.page.subarray(this.from + this.#head, this.to - 1)
  }

  get #attributes(): Readonly<Record<string, string>> {
    const head = this.page.toString('latin1', this.from, this.from + this.#head)
    return JSON.parse(`${head.replace(/,"data":$/, '')}}`)
  }
}
