// JobProgress
//
// Tells of jobs while they are done, for whoever listens.
//
// Invariants (tests cite them):
//   JP1  It never waits, never fails, and holds nothing up: what cannot be told is counted, and said once in the log.
//   JP2  The pieces of an attempt’s answer, one after the other, are its text from the beginning; a gap shows by `from`.
import type { Clock } from '../../time/clock.js'
import { estimateTokens } from '../estimate-tokens.js'
import type { ProgressEvent } from './progress-event.js'
import { TextPacer } from './text-pacer.js'

/** An attempt that begins. */
export interface ProgressCall {
  readonly job: string
  readonly attempt: number
  readonly model: string
  readonly maxTokens: number
}

/** What an attempt has led to. */
export type ProgressEnd =
  | { readonly kind: 'decided'; readonly decision: unknown }
  | { readonly kind: 'dead'; readonly reason: string }
  /** Its turn comes once more. */
  | { readonly kind: 'again'; readonly reason: string }

/** An attempt that is told of. Nothing of it throws. */
export interface CallProgress {
  /** A piece of the answer, for `onText` of a call. */
  readonly text: (text: string) => void
  /** The last word. */
  ended(end: ProgressEnd): void
}

/** Tells of jobs of one context. */
export interface JobProgress {
  started(call: ProgressCall): CallProgress
}

/** Tells nobody. */
export const NO_PROGRESS: JobProgress = Object.freeze({
  started: () => ({ text: () => undefined, ended: () => undefined }),
})

/** How often it is told how long an answer is, in ms. */
const TELL_MS = 1_000

/** @param send takes what is told of an attempt; it must not throw */
export function tellProgress(
  clock: Clock,
  send: (job: string, attempt: number, event: ProgressEvent) => void,
): JobProgress {
  return {
    started({ job, attempt, model, maxTokens }) {
      const tell = (event: ProgressEvent): void => send(job, attempt, event)
      const pacer = new TextPacer(clock, (text, from) =>
        tell({ type: 'job.text', at: clock.now(), attempt, from, text }),
      )
      let [said, ended, toldAt] = ['', false, clock.monotonic()]
      tell({ type: 'job.started', at: clock.now(), attempt, model })
      const text = (piece: string): void => {
        if (ended) return
        said += piece
        pacer.add(piece)
        if (clock.monotonic() - toldAt < TELL_MS) return
        toldAt = clock.monotonic()
        const tokens = Math.min(maxTokens, estimateTokens([said]))
        tell({ type: 'job.progress', at: clock.now(), attempt, tokens, most: maxTokens })
      }
      return {
        text,
        ended: (end) => {
          if (ended) return
          ended = true
          pacer.flush()
          tell({ at: clock.now(), attempt, ...endOf(end) })
        },
      }
    },
  }
}

type Ending = ProgressEvent extends infer Event
  ? Event extends unknown
    ? Omit<Event, 'at' | 'attempt'>
    : never
  : never

function endOf(end: ProgressEnd): Ending {
  switch (end.kind) {
    case 'decided':
      return { type: 'job.completed', decision: end.decision }
    case 'dead':
      return { type: 'job.failed', reason: end.reason }
    case 'again':
      return { type: 'job.again', reason: end.reason }
  }
}
