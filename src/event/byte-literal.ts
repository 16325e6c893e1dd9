/**
 * ASCII text that is looked for in bytes at a known place, four bytes at a time: one by one takes three times as long.
 * The last four overlap those before them, so that there is no rest.
 */
export class ByteLiteral {
  readonly text: string
  readonly length: number
  readonly #words: Int32Array
  readonly #last: number

  constructor(text: string) {
    const bytes = Buffer.from(text, 'latin1')
    this.text = bytes.toString('latin1') // what is cut out of a message would keep it alive
    this.length = bytes.length
    this.#words = Int32Array.from({ length: bytes.length >> 2 }, (_, at) => bytes.readInt32LE(at * 4))
    this.#last = bytes.length < 4 ? 0 : bytes.readInt32LE(bytes.length - 4)
  }

  /** Whether it stands at `from`, and ends at `limit` or before. */
  isAt(view: DataView, from: number, limit: number): boolean {
    const words = this.#words
    if (from + this.length > limit) return false
    if (words.length === 0) return this.#isShortAt(view, from)
    for (let at = 0; at < words.length; at++) if (view.getInt32(from + at * 4, true) !== words[at]) return false
    return view.getInt32(from + this.length - 4, true) === this.#last
  }

  #isShortAt(view: DataView, from: number): boolean {
    for (let at = 0; at < this.length; at++) if (view.getUint8(from + at) !== this.text.charCodeAt(at)) return false
    return true
  }
}

let seen: Uint8Array | undefined
let view: DataView = new DataView(new ArrayBuffer(0))

/** A view of the same bytes. Many messages follow one another in the same: it is kept for the next time. */
export function viewOf(bytes: Uint8Array): DataView {
  if (bytes !== seen) {
    view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    seen = bytes
  }
  return view
}
