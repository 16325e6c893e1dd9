/** What goes over the wire: a NATS message without its subject’s stream. Header order is kept as written. */
export interface WireMessage {
  readonly subject: string
  readonly headers: readonly (readonly [name: string, value: string])[]
  readonly data: Uint8Array
}

/** Read access to one received message’s headers; names are matched without regard to case. */
export interface HeaderReader {
  get(name: string): string | undefined
  entries(): Iterable<readonly [name: string, value: string]>
  /** The header block as it came, where there is one: read at a stretch it costs a third. */
  readonly block?: string
}

/** A message that has ASCII characters alone: each is one byte, so what is found in the bytes is there in the text. */
export interface AsciiMessage {
  /** It begins at `from`. */
  readonly bytes: Buffer
  readonly from: number
  readonly text: string
  /** Where the headers end, and the payload begins. */
  readonly headers: number
}
