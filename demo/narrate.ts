// What the demo says while it works: on stderr, so that stdout has the result alone.
import { styleText } from 'node:util'

const WIDTH = 12

export class Narrator {
  readonly #quiet: boolean
  readonly #terminal = process.stderr.isTTY === true
  #step = ''

  constructor(quiet: boolean) {
    this.#quiet = quiet
  }

  /** Names what begins now. */
  step(name: string): void {
    this.#step = name
    this.progress('…')
  }

  /** Shows how far the step is; on a terminal only, over what was shown before. */
  progress(text: string): void {
    if (this.#terminal && !this.#quiet) process.stderr.write(`\r\u001b[2K${this.#head()} ${text}`)
  }

  note(text: string): void {
    this.progress(text)
  }

  /** Says what came of the step. */
  done(text: string): void {
    if (this.#quiet) return
    if (this.#terminal) process.stderr.write('\r\u001b[2K')
    process.stderr.write(`${this.#head()} ${text}\n`)
  }

  say(text: string): void {
    process.stderr.write(`${text}\n`)
  }

  fail(text: string): void {
    if (this.#terminal && !this.#quiet) process.stderr.write('\r\u001b[2K')
    process.stderr.write(`${text}\n`)
  }

  #head(): string {
    const name = this.#step.padEnd(WIDTH)
    return this.#terminal ? styleText('bold', name) : name
  }
}
