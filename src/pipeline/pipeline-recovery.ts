import { fault } from '../error/millrace-error.js'
import { parseDuration } from '../time/duration.js'

/** How a pipeline is brought back after a crash. A closed set. Durations are ms, or texts such as `10m`. */
export type PipelineRecovery =
  /** Each event’s outputs follow from the event alone: nothing has to be rebuilt. That is checked while it runs. */
  | { readonly mode: 'stateless' }
  /**
   * Any operator. Each key has a subscription of its own, a slot; after a crash the log is read again from where the
   * oldest living slot began.
   */
  | {
      readonly mode: 'slots'
      /** A key without events for so long (event time) has its input completed and is forgotten. Default `10m`. */
      readonly idle?: string | number
      /**
       * Ends every slot at the multiples of this since 1970 too, for keys that are never idle: what a recovery has to
       * read again is bounded by it.
       */
      readonly epoch?: string | number
    }
  /** Durable operators (`ctx.ops`) only: their state is stored with each commit, nothing is read again. */
  | { readonly mode: 'checkpoint'; readonly idle?: string | number }

/** How a pipeline is brought back, read. Durations in ms. */
export type Recovery =
  | { readonly mode: 'stateless' }
  | { readonly mode: 'slots'; readonly idle: number; readonly epoch: number | undefined }
  | { readonly mode: 'checkpoint'; readonly idle: number | undefined }

/** How long a key may be without events before it is forgotten, where the pipeline does not say. */
const IDLE = '10m'

/**
 * @param keyed whether the pipeline has a `keyBy`: then it is taken to keep state
 * @throws PIPELINE_INVALID, DURATION_INVALID
 */
export function readRecovery(pipeline: string, recovery: PipelineRecovery | undefined, keyed: boolean): Recovery {
  const asked: PipelineRecovery = recovery ?? { mode: keyed ? 'slots' : 'stateless' }
  switch (asked.mode) {
    case 'stateless':
      return { mode: 'stateless' }
    case 'slots':
      return {
        mode: 'slots',
        idle: span(pipeline, 'idle', asked.idle ?? IDLE),
        epoch: asked.epoch === undefined ? undefined : span(pipeline, 'epoch', asked.epoch),
      }
    case 'checkpoint':
      return { mode: 'checkpoint', idle: asked.idle === undefined ? undefined : span(pipeline, 'idle', asked.idle) }
    default: {
      const mode = JSON.stringify((asked as { mode?: unknown }).mode)
      throw fault('PIPELINE_INVALID', `${pipeline}: recovery mode ${mode} is not known: stateless, slots, checkpoint`)
    }
  }
}

/** Whole ms, so that what a slot’s life depends on is as exact as the times of events are. */
function span(pipeline: string, name: string, duration: string | number): number {
  const ms = parseDuration(duration)
  if (Number.isInteger(ms) && ms >= 1) return ms
  throw fault('PIPELINE_INVALID', `${pipeline}: recovery.${name} ${JSON.stringify(duration)} must be whole ms from 1`)
}
