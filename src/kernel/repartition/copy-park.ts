import { NEVER_EXPIRES } from '../../broker/batch.js'
import type { Connection } from '../../broker/connection.js'
import { parkSubject } from '../../broker/system-subject.js'
import type { WireMessage } from '../../event/wire.js'
import type { Clock } from '../../time/clock.js'
import { parkToken, redriven } from '../parking/park-message.js'
import { parkingId, type ParkedKey } from '../parking/parked-key.js'
import type { ParkedUnit } from '../parking/parked-unit.js'
import { readPark } from '../parking/read-park.js'

const AT_ONCE = 500

/**
 * Puts what is parked of a key where another unit looks for it; `write` stores a part of it. What is there twice, after
 * an attempt that was ended, is taken once.
 * @throws what `write` throws, and errors of the broker
 */
export async function copyPark(
  connection: Connection,
  clock: Clock,
  from: ParkedUnit,
  entry: ParkedKey,
  to: number,
  write: (messages: readonly WireMessage[]) => Promise<unknown>,
): Promise<void> {
  const subject = parkSubject(from.output, from.processor, String(to), parkToken(entry.key))
  for (let next = 1; ;) {
    const part = await readPark(connection, clock, from, entry.key, { from: next, most: AT_ONCE })
    const needed = part.messages.filter(
      ({ parked }) => parked.parking === parkingId(entry) && parked.number >= entry.redriven,
    )
    await write(
      needed.map(({ message }) => {
        const copy = redriven(subject, message)
        return { ...copy, headers: [...copy.headers, NEVER_EXPIRES] }
      }),
    )
    if (part.end) return
    next = part.next
  }
}
