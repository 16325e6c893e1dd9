import type { StoredEvent } from '../../event/event.js'
import { formatTime } from '../../event/rfc3339.js'

/**
 * An event as a line of the CloudEvents JSON format, with where it is stored in extension attributes.
 * Source: CloudEvents JSON event format 1.0.
 */
export function cloudEventLine(event: StoredEvent): string {
  const { id, source, type, version, time, key, correlationId, causationId, attributes, data } = event
  return JSON.stringify({
    specversion: '1.0',
    id,
    source,
    type,
    time: formatTime(time),
    datacontenttype: 'application/json',
    ...(version === 1 ? {} : { dataversion: String(version) }),
    partitionkey: key,
    correlationid: correlationId,
    causationid: causationId,
    ...attributes,
    streamname: event.stream,
    streamsequence: String(event.sequence),
    storedtime: formatTime(event.storedAt),
    data,
  })
}
