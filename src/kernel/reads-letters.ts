import type { Connection } from '../broker/connection.js'
import { readLast } from '../broker/last-message.js'
import { inputsLetters, letterFilter } from './input-filters.js'
import type { Processor } from './processor.js'

/**
 * Whether the events of dead letters come back to a unit: once one did, or whoever is about to send one has said so
 * (letterOpener). Every unit could read them always, but a second filter costs the server a quarter of its speed with a
 * processor that reads one type.
 * @throws errors of the broker
 */
export async function readsLetters(connection: Connection, processor: Processor, partition: string): Promise<boolean> {
  if (!inputsLetters(processor)) return false
  if (processor.kind === 'handler') return true
  const filter = letterFilter(processor, partition)
  return (await readLast(connection, processor.from.stream.name, filter)) !== undefined
}
