import { asFault } from './api-error.js'
import type { Connection } from './connection.js'

/**
 * What every consumer of a stream reads, by its name.
 * @throws STREAM_NOT_FOUND and others of the broker
 */
export async function readConsumerFilters(
  { manager }: Connection,
  stream: string,
): Promise<ReadonlyMap<string, readonly string[]>> {
  const filters = new Map<string, readonly string[]>()
  try {
    for await (const { name, config } of manager.consumers.list(stream)) {
      const { filter_subject: one, filter_subjects: several } = config
      filters.set(name, several ?? (one === undefined ? [] : [one]))
    }
  } catch (error) {
    throw asFault(error, `listing the consumers of ${stream}`)
  }
  return filters
}
