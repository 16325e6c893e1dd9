import { fault } from '../error/millrace-error.js'
import type { StoredEvent } from '../event/event.js'
import type { PipelineDeclaration } from './define-pipeline.js'

/**
 * Reads the key that an event’s state belongs to; empty for an event without one.
 * @returns a function that throws KEY_NOT_OF_PARTITION (crash) where the events of that key may lie in several
 *   partitions, and what `keyBy` throws
 */
export function keyReader({
  name,
  keyBy,
  spread,
}: Pick<PipelineDeclaration, 'name' | 'keyBy' | 'spread'>): (event: StoredEvent) => string {
  if (keyBy === undefined) return ({ key }) => key ?? ''
  return (event) => {
    const key: unknown = keyBy(event)
    if (typeof key !== 'string') throw new TypeError(`keyBy gave ${String(key)} in place of a text`)
    if (spread === 'keys' && key !== event.key) {
      const published = event.key === undefined ? 'without a key' : `under ${JSON.stringify(event.key)}`
      const where = `${event.type} at sequence ${event.sequence}`
      throw fault(
        'KEY_NOT_OF_PARTITION',
        `${name}: ${where} was published ${published}, keyBy gives ${JSON.stringify(key)}`,
      )
    }
    return key
  }
}
