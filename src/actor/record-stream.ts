import type { StreamDeclaration } from '../broker/define-stream.js'
import { fault } from '../error/millrace-error.js'

/**
 * The stream of a context that has actors, as one that holds the records of aggregates: it has a subject for each of
 * them, so that its readers use one filter (docs/decisions/0006).
 * @throws STREAM_INVALID it forgets by age or size, and with its oldest messages the states of aggregates
 */
export function recordStream(stream: StreamDeclaration): StreamDeclaration {
  const { name, maxAge, maxBytes } = stream
  if (maxAge !== 0 || maxBytes !== -1)
    throw fault(
      'STREAM_INVALID',
      `${name} has actors, whose states are in it, and forgets its oldest messages: leave out retention, or put the actors into another context`,
    )
  return Object.freeze({ ...stream, aggregates: true as const })
}
