import type { Connection } from '../broker/connection.js'
import { ensureBucket } from '../broker/history-bucket.js'
import { readLast } from '../broker/last-message.js'
import { publishOnce } from '../broker/publish-once.js'
import { isFault } from '../error/millrace-error.js'

const BUCKET = 'millrace_schedules'
const subjectOf = (schedule: string): string => `$KV.${BUCKET}.stall.${schedule}`

/** Why a schedule stands still. */
export interface ScheduleStall {
  readonly code: string
  readonly detail: string
}

/**
 * Tells why schedules stand still, for `millrace status` anywhere: beside the stream, which is what takes nothing then.
 */
export class ScheduleStalls {
  readonly #connection: Connection
  readonly #replicas: number
  readonly #told = new Map<string, string>()
  #last: Promise<void> = Promise.resolve()

  constructor(connection: Connection, replicas: number) {
    this.#connection = connection
    this.#replicas = replicas
  }

  /** @param stall undefined: it goes on. What cannot be told is told with the next word. */
  tell(schedule: string, stall: ScheduleStall | undefined): void {
    const text = stall === undefined ? '' : JSON.stringify({ code: stall.code, detail: stall.detail })
    if ((this.#told.get(schedule) ?? '') === text) return
    this.#told.set(schedule, text)
    this.#last = this.#last.then(() => this.#write(schedule, text))
  }

  async #write(schedule: string, text: string): Promise<void> {
    try {
      const description = 'Why schedules stand still'
      await ensureBucket(this.#connection, { bucket: BUCKET, description, replicas: this.#replicas, history: 1 })
      await publishOnce(this.#connection, { subject: subjectOf(schedule), headers: [], data: Buffer.from(text) })
    } catch (error) {
      if (!isFault(error)) throw error
      this.#told.delete(schedule)
    }
  }
}

/** Why a schedule stood still when it was last told; undefined: it did not. @throws errors of the broker */
export async function readScheduleStall(connection: Connection, schedule: string): Promise<ScheduleStall | undefined> {
  try {
    const text = Buffer.from((await readLast(connection, `KV_${BUCKET}`, subjectOf(schedule)))?.data ?? []).toString()
    return text === '' ? undefined : (JSON.parse(text) as ScheduleStall)
  } catch (error) {
    if (isFault(error, 'STREAM_NOT_FOUND')) return undefined
    throw error
  }
}
