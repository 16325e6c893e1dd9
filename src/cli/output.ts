import { styleText } from 'node:util'

/** How a piece of text looks; nothing depends on it. */
export type Look = Parameters<typeof styleText>[0]

/** One of the two places that a command writes to. */
export interface Output {
  /** Whether a person looks at it: animation and colour are for terminals only. */
  readonly isTty: boolean
  readonly color: boolean
  /** Width of the terminal in columns; 80 where there is none. */
  readonly columns: number
  /** Nobody reads it any more, as after `| head`: what is written now is dropped. */
  readonly isGone: boolean
  write(text: string): void
  line(text?: string): void
  /** The text with a look where this output has colour, else as it is. */
  style(look: Look, text: string): string
  /** Resolves when what was written has left the process. Await it now and then when writing much. */
  drained(): Promise<void>
}

/** What is needed of a stream of the process. */
export interface Sink {
  readonly isTTY?: boolean
  readonly columns?: number
  readonly writableNeedDrain?: boolean
  write(text: string): boolean
  once(event: 'drain' | 'close', listener: () => void): unknown
  off(event: 'drain' | 'close', listener: () => void): unknown
  on(event: 'error', listener: (error: NodeJS.ErrnoException) => void): unknown
}

/**
 * Wraps a stream of the process. A reader that went away (`| head`) is no error: what is written later is dropped, and
 * `onGone` is called once so that the command can stop.
 */
export function createOutput(sink: Sink, color: boolean, onGone: () => void): Output {
  let gone = false
  sink.on('error', (error) => {
    if (gone) return
    gone = true
    if (error.code !== 'EPIPE') process.exitCode = 1
    onGone()
  })
  const write = (text: string): void => {
    if (!gone) sink.write(text)
  }
  return {
    isTty: sink.isTTY === true,
    color,
    get columns() {
      return sink.columns || 80 // a pseudo-terminal may say 0
    },
    get isGone() {
      return gone
    },
    write,
    line: (text = '') => write(`${text}\n`),
    style: (look, text) => (color ? styleText(look, text, { validateStream: false }) : text),
    drained: () =>
      new Promise((resolve) => {
        if (gone || sink.writableNeedDrain !== true) return resolve()
        const done = (): void => {
          sink.off('drain', done)
          sink.off('close', done)
          resolve()
        }
        sink.once('drain', done)
        sink.once('close', done)
      }),
  }
}

/** Colour: `--no-color`, then NO_COLOR and FORCE_COLOR, then whether it is a terminal that can show it. */
export function wantsColor(sink: Pick<Sink, 'isTTY'>, env: NodeJS.ProcessEnv, flag: boolean): boolean {
  if (!flag || env['NO_COLOR']) return false
  const force = env['FORCE_COLOR']
  if (force !== undefined && force !== '') return force !== '0' && force !== 'false'
  return sink.isTTY === true && env['TERM'] !== 'dumb'
}
