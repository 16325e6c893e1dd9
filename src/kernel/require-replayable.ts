import { asFault } from '../broker/api-error.js'
import type { Connection } from '../broker/connection.js'
import { fault } from '../error/millrace-error.js'
import { processorId, type Processor } from './processor.js'

/**
 * Refuses to rebuild state from a log whose beginning is missing.
 * @throws MESSAGES_GONE, STREAM_NOT_FOUND and errors of the broker
 */
export async function requireReplayable(
  connection: Connection,
  processor: Processor,
  replayFrom: number,
  position: number,
): Promise<void> {
  if (replayFrom > position) return
  const { name } = processor.from.stream
  try {
    const { state } = await connection.manager.streams.info(name)
    if (state.first_seq <= replayFrom) return
    throw fault(
      'MESSAGES_GONE',
      `${processorId(processor)} needs ${name} from sequence ${replayFrom}, which now begins at ${state.first_seq}`,
    )
  } catch (error) {
    throw asFault(error, `reading stream ${name}`)
  }
}
