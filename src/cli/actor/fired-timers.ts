import { timerSubject } from '../../actor/timer-message.js'
import { readLast } from '../../broker/last-message.js'
import type { AtFlags, Found } from './actor-at.js'

/**
 * Names of timers that an aggregate waits for and that the server has no more: they have fired, and their commands are not
 * decided. Those come yet, or are parked or dead letters. Of the past nobody knows.
 * @throws errors of the broker
 */
export async function firedTimers({ place, known }: Found, { atSeq, atTime }: AtFlags): Promise<readonly string[]> {
  if (atSeq !== undefined || atTime !== undefined) return []
  const { connection, stream, type, id } = place
  const names = await Promise.all(
    Object.entries(known.frame?.t ?? {}).map(async ([name, setting]) => {
      const schedule = await readLast(connection, stream.name, timerSubject(stream.name, type, id, { name, setting }))
      return schedule === undefined ? [name] : []
    }),
  )
  return names.flat()
}
