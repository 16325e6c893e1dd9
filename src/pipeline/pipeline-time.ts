import { fault } from '../error/millrace-error.js'
import type { EventDraft, StoredEvent } from '../event/event.js'
import { parseDuration } from '../time/duration.js'

/** What becomes of an event that is older than event time. A function makes an event of it. */
export type LateEvents<E> = 'dead-letter' | 'drop' | ((event: E) => EventDraft)

/**
 * Where event time comes from.
 *
 * - `ingestion`: when the stream stored the event. Where that goes back, time stands still.
 * - `of`: when it happened, by the event itself.
 */
export type PipelineTime<E> =
  | 'ingestion'
  | {
      /** Milliseconds since 1970; fractions are cut off. A function of the event alone. */
      readonly of: (event: E) => number
      /**
       * How far behind the newest event one may come and still be handled in its place: every event waits for that
       * long. In ms, or like `5s`.
       */
      readonly lateness: string | number
      /** Default `dead-letter`. */
      readonly late?: LateEvents<E>
    }

/** Where event time comes from, read. */
export type TimeSource =
  | { readonly kind: 'ingestion' }
  | {
      readonly kind: 'own'
      readonly of: (event: StoredEvent) => number
      /** In ms. */
      readonly lateness: number
      readonly late: LateEvents<StoredEvent>
    }

/** @throws PIPELINE_INVALID, DURATION_INVALID */
export function readTime(pipeline: string, time: PipelineTime<StoredEvent> = 'ingestion'): TimeSource {
  if (time === 'ingestion') return { kind: 'ingestion' }
  const { of, lateness, late = 'dead-letter' } = time
  if (typeof of !== 'function')
    throw fault('PIPELINE_INVALID', `${pipeline}: time is neither 'ingestion' nor { of, lateness }`)
  if (lateness === undefined) throw fault('PIPELINE_INVALID', `${pipeline}: time.lateness is missing, such as '5s'`)
  if (late !== 'dead-letter' && late !== 'drop' && typeof late !== 'function')
    throw fault(
      'PIPELINE_INVALID',
      `${pipeline}: time.late ${JSON.stringify(late)}: 'dead-letter', 'drop' or a function`,
    )
  return { kind: 'own', of, lateness: parseDuration(lateness), late }
}
