// Floors
//
// Up to where everything of a handler is done, beside the consumer that knows it: so that one which somebody has deleted
// is made again behind what is done, neither at the beginning nor at the end of the stream.
import type { Connection } from '../broker/connection.js'
import { ensureBucket, writeBucket, type BucketWrite } from '../broker/history-bucket.js'
import { readLast } from '../broker/last-message.js'
import { isFault } from '../error/millrace-error.js'
import type { Clock } from '../time/clock.js'

export const HANDLER_BUCKET = 'millrace_handlers'

/** What is known of one consumer. */
export interface Floor {
  /** When the stream was made: sequences of another one of the same name say nothing. */
  readonly created: string
  readonly floor: number
}

const FIRST_WAIT_MS = 50
const LONGEST_WAIT_MS = 1_600

interface Known extends Floor {
  readonly revision: number
}

export class Floors {
  readonly #connection: Connection
  readonly #clock: Clock
  readonly #known = new Map<string, Known>()

  constructor(connection: Connection, clock: Clock) {
    this.#connection = connection
    this.#clock = clock
  }

  /** @throws errors of the broker */
  async prepare(replicas: number): Promise<void> {
    const description = 'Up to where the events of each handler are done'
    await ensureBucket(this.#connection, { bucket: HANDLER_BUCKET, description, replicas, history: 1 })
  }

  /** What is stored for a consumer; undefined when it has never been made. @throws errors of the broker */
  async read(consumer: string): Promise<Floor | undefined> {
    const last = await readLast(this.#connection, `KV_${HANDLER_BUCKET}`, `$KV.${HANDLER_BUCKET}.${consumer}`)
    if (last === undefined || last.header('KV-Operation') !== undefined) {
      this.#known.delete(consumer)
      if (last !== undefined) this.#known.set(consumer, { created: '', floor: 0, revision: last.sequence })
      return undefined
    }
    const found = JSON.parse(Buffer.from(last.data).toString()) as Floor
    this.#known.set(consumer, { ...found, revision: last.sequence })
    return found
  }

  /** Stores one that is further than what is known; of several processes the first counts. @throws errors of the broker */
  async write(consumer: string, floor: Floor): Promise<void> {
    const known = this.#known.get(consumer)
    if (known !== undefined && known.created === floor.created && known.floor >= floor.floor) return
    const data = Buffer.from(JSON.stringify({ created: floor.created, floor: floor.floor }))
    const expected = known?.revision ?? 0
    const revision = await this.#store({ key: consumer, data, expected })
    if (revision === undefined) await this.read(consumer)
    else this.#known.set(consumer, { ...floor, revision })
  }

  /** A bucket that was just made, or whose leader is elected, is not known to each server of a cluster at once. */
  async #store(write: BucketWrite): Promise<number | undefined> {
    for (let wait = FIRST_WAIT_MS; ; wait *= 2)
      try {
        return await writeBucket(this.#connection, HANDLER_BUCKET, write)
      } catch (error) {
        if (!isFault(error, 'NO_STREAM_FOR_SUBJECT') || wait > LONGEST_WAIT_MS) throw error
        await this.#clock.sleep(wait)
      }
  }
}
