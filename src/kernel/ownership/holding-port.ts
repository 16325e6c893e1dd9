import type { MillraceError } from '../../error/millrace-error.js'
import type { Clock } from '../../time/clock.js'
import type { DrainReason } from './decide.js'

/** A unit at work in this process. */
export interface UnitRun {
  /** Commits what is done and stops; resolves when nothing of it is at work any more. Called at most once. */
  stop(): Promise<void>
  /** Rejects with what ended the unit by itself; nothing of it is at work then. Resolves, if ever, after stop(). */
  readonly ended: Promise<void>
}

export interface HoldingPort {
  readonly member: string
  readonly clock: Clock
  /** How long a unit may take to stop before it is given back all the same, in ms. */
  readonly drainLimitMs: number
  run(unit: string): Promise<UnitRun>
  /** Writes that this member holds the unit. Undefined: the last record was not the expected one. */
  take(unit: string, expected: number): Promise<number | undefined>
  /** Writes that nobody does. False: the last record was not the expected one. */
  giveBack(unit: string, expected: number): Promise<boolean>
  /** Who holds the unit by the last record, as the stream’s leader has it; null: nobody. */
  ownerOf(unit: string): Promise<string | null>
  onEvent(unit: string, event: HoldingEvent): void
}

export type HoldingEvent =
  | { readonly kind: 'taken' }
  | { readonly kind: 'running'; readonly afterMs: number }
  | { readonly kind: 'released'; readonly reason: DrainReason | 'failed'; readonly afterMs: number }
  /** Another member holds it, or has claimed it in any case. */
  | { readonly kind: 'lost' }
  /** It ended, and will be started again here after a pause. */
  | { readonly kind: 'ended'; readonly error: MillraceError; readonly pauseMs: number }
  /** It cannot run in this process. */
  | { readonly kind: 'refused'; readonly error: MillraceError }
  /** It ended badly while it was being stopped. */
  | { readonly kind: 'stopped-badly'; readonly error: MillraceError }
  /** It does not stop; the fence keeps what it may still do from being stored. */
  | { readonly kind: 'does-not-stop' }
  /** The record could not be written; trying on. */
  | { readonly kind: 'not-written'; readonly error: MillraceError }
