import { formatDuration } from '../time/duration.js'
import type { CliContext } from './context.js'
import type { Output } from './output.js'
import { count } from './table.js'

// Drawn here and not by a prompt library: theirs put the terminal into raw mode and end the process on Ctrl-C, which
// has to be a clean stop that says where to resume.

export interface Progress {
  /** @param fraction how much of the whole is done, 0 to 1, where that is known */
  update(done: number, fraction?: number): void
  /** Removes what was drawn, so that something else can be written; the next update draws again. */
  clear(): void
  /** Removes what was drawn, for good. Safe to call twice. */
  end(): void
}

export interface ProgressOptions {
  /** What goes on: `publishing`. */
  readonly label: string
  /** What is counted: `events`. */
  readonly unit: string
}

const DRAW_MS = 100
const LINE_MS = 2_000
const BAR = 20

const NOTHING: Progress = { update: () => undefined, clear: () => undefined, end: () => undefined }

/**
 * Shows how far something long is, on `err`: a bar with rate and remaining time on a terminal, else a line every two
 * seconds, and nothing with --json.
 */
export function createProgress(
  context: Pick<CliContext, 'err' | 'clock' | 'json'>,
  options: ProgressOptions,
): Progress {
  const { err, clock, json } = context
  if (json) return NOTHING
  const started = clock.monotonic()
  const interval = err.isTty ? DRAW_MS : LINE_MS
  let shownAt = err.isTty ? started - DRAW_MS : started
  let drawn = false
  let ended = false
  const clear = (): void => {
    if (drawn) err.write('\r\u001b[2K')
    drawn = false
  }
  return {
    clear,
    update: (done, fraction) => {
      const now = clock.monotonic()
      if (ended || now - shownAt < interval) return
      shownAt = now
      const text = describe(err, options, { done, fraction, ms: now - started })
      if (!err.isTty) return err.line(text)
      drawn = true
      err.write(`\r\u001b[2K${text.slice(0, Math.max(20, err.columns + (text.length - plainLength(text)) - 1))}`)
    },
    end: () => {
      ended = true
      clear()
    },
  }
}

/** Repeats a status line in place on a terminal; for what has no end. */
export function createLiveLine(err: Output): { show(text: string): void; end(): void } {
  let drawn = false
  const clear = (): void => {
    if (drawn) err.write('\r\u001b[2K')
    drawn = false
  }
  return {
    show: (text) => {
      clear()
      err.write(text.slice(0, err.columns - 1))
      drawn = true
    },
    end: clear,
  }
}

/** Events per second over the whole run, for a person. */
export function rate(done: number, ms: number): string {
  return `${count(Math.round((done * 1_000) / Math.max(ms, 1)))}/s`
}

function describe(
  err: Output,
  { label, unit }: ProgressOptions,
  { done, fraction, ms }: { done: number; fraction: number | undefined; ms: number },
): string {
  const parts = [label]
  if (fraction !== undefined) {
    const full = Math.round(Math.min(1, fraction) * BAR)
    if (err.isTty) parts.push(err.style('cyan', '█'.repeat(full)) + err.style('gray', '░'.repeat(BAR - full)))
    parts.push(`${Math.floor(Math.min(1, fraction) * 100)}%`)
  }
  parts.push(`${count(done)} ${unit}`, rate(done, ms))
  if (fraction !== undefined && fraction > 0.01 && fraction < 1)
    parts.push(`${formatDuration((ms * (1 - fraction)) / fraction)} left`)
  return parts.join('  ')
}

function plainLength(text: string): number {
  // oxlint-disable-next-line no-control-regex -- the escape sequences of colours
  return text.replace(/\u001b\[\d+m/g, '').length
}
