import { fault } from '../error/millrace-error.js'
import type { OnPoison } from '../kernel/processor-policies.js'
import type { TimeSource } from './pipeline-time.js'

/**
 * What becomes of an event whose handling fails. A closed set.
 *
 * - `dead-letter`: it is kept as one, and its key goes on with its next event.
 * - `park`: it is kept as a dead letter, and its key is parked: the key’s later events are kept in their order, other
 *   keys go on, and `millrace parked redrive` brings them back once what failed is mended.
 * - `stop`: the pipeline stops before it.
 */
export type OnError = 'dead-letter' | 'park' | 'stop'

const ALL: readonly OnError[] = ['dead-letter', 'park', 'stop']

/** @throws PIPELINE_INVALID */
export function readOnError(pipeline: string, onError: OnError | undefined, time: TimeSource): OnError {
  const read = onError ?? 'dead-letter'
  if (!ALL.includes(read))
    throw fault('PIPELINE_INVALID', `${pipeline}: onError ${JSON.stringify(read)} is not known: ${ALL.join(', ')}`)
  // an event that waits inside of the pipeline cannot be diverted any more, and would overtake those that are parked
  if (read === 'park' && time.kind === 'own')
    throw fault(
      'PIPELINE_INVALID',
      `${pipeline}: onError "park" needs time "ingestion": events that wait for theirs cannot be parked`,
    )
  return read
}

/** The same for the kernel. A pipeline of operators stops by itself. */
export function onPoisonOf(onError: OnError, stops: boolean): { readonly onPoison?: OnPoison } {
  if (onError === 'park') return { onPoison: 'park' }
  return onError === 'stop' && stops ? { onPoison: 'stop' } : {}
}
