import { batchQueueOf } from '../broker/batch-queue.js'
import { expectLastSequence, NEVER_EXPIRES, ROLLUP_SUBJECT } from '../broker/batch.js'
import type { Connection } from '../broker/connection.js'
import { readLast } from '../broker/last-message.js'
import { publishOnce } from '../broker/publish-once.js'
import { streamTimeOf } from '../broker/stream-time.js'
import { scheduleSubject } from '../broker/system-subject.js'
import { isFault } from '../error/millrace-error.js'
import type { WireMessage } from '../event/wire.js'
import type { Clock } from '../time/clock.js'
import type { ScheduleStore } from './schedule-commits.js'

/** A store, and what ends its look at the server’s clock. */
export interface OpenedScheduleStore extends ScheduleStore {
  close(): void
}

/** The store of a schedule in its stream. */
export function streamScheduleStore(
  connection: Connection,
  clock: Clock,
  stream: string,
  schedule: string,
): OpenedScheduleStore {
  const subject = scheduleSubject(stream, schedule)
  const time = streamTimeOf(connection, clock, stream)
  const close = time.follow(() => undefined)
  return {
    read: () => readLast(connection, stream, subject),
    write: (messages: readonly WireMessage[], record: Uint8Array, expected: number) => {
      const headers = [expectLastSequence(expected), ROLLUP_SUBJECT, NEVER_EXPIRES]
      return batchQueueOf(connection, stream).publish([...messages, { subject, headers, data: record }])
    },
    time: () => time.now(),
    async writeLetter(letter) {
      try {
        await publishOnce(connection, letter)
      } catch (error) {
        if (!isFault(error, 'SEQUENCE_CONFLICT')) throw error // it is there already
      }
    },
    close,
  }
}
