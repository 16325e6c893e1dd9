/** Where lines go: a terminal, a pipe, a file. A promise holds back what comes next until it resolves. */
export type WriteText = (text: string) => void | Promise<void>

/** Large enough that the cost of a write is spread over hundreds of lines. In UTF-16 units. */
const CHUNK = 64 * 1024

/** Gathers lines into large writes, one at a time. */
export class LineWriter {
  readonly #write: WriteText
  #text = ''

  constructor(write: WriteText) {
    this.#write = write
  }

  /** Adds a line with its line break; true when it is time to flush. */
  add(line: string): boolean {
    this.#text += line
    return this.#text.length >= CHUNK
  }

  async flush(): Promise<void> {
    if (this.#text === '') return
    const text = this.#text
    this.#text = ''
    await this.#write(text)
  }
}
