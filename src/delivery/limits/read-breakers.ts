import type { Connection } from '../../broker/connection.js'
import { readLast } from '../../broker/last-message.js'
import { isFault } from '../../error/millrace-error.js'
import { readBreakerState } from './breaker.js'
import { DEPENDENCY_BUCKET } from './shared-cells.js'
import { describeBreaker } from './shared-breaker.js'

/**
 * Which of the dependencies are left alone, why and until when; empty: none.
 * @throws errors of the broker
 */
export async function readBreakers(
  connection: Connection,
  dependencies: readonly string[],
): Promise<readonly string[]> {
  const read = async (name: string): Promise<string | undefined> => {
    const last = await readLast(connection, `KV_${DEPENDENCY_BUCKET}`, `$KV.${DEPENDENCY_BUCKET}.breaker.${name}`)
    if (last === undefined || last.header('KV-Operation') !== undefined) return undefined
    return describeBreaker(name, readBreakerState(JSON.parse(Buffer.from(last.data).toString())))
  }
  try {
    return (await Promise.all(dependencies.map(read))).filter((one) => one !== undefined)
  } catch (error) {
    if (isFault(error, 'STREAM_NOT_FOUND')) return []
    throw error
  }
}
