import type { Connection } from '../../broker/connection.js'
import { messageOf } from '../../error/millrace-error.js'
import type { Log } from '../../observe/log.js'
import type { Clock } from '../../time/clock.js'
import type { Origin } from '../origin.js'
import { MOST_MARKS, Suspects } from '../suspects.js'
import { soloOf } from '../solo.js'
import { Places } from './places.js'

/** An event that may be what ends processes, at work. */
export interface Begun {
  /** It has ended so many that it is not to be begun any more. */
  readonly kills: boolean
  /** To be called when the attempt has ended. Never rejects. */
  end(): Promise<void>
}

const PAUSE_MS = 500

/**
 * Finds the events that end the process which handles them (DL4). One that was open when its unit began here may have
 * ended the process that had it: it is marked before it is begun, and when a mark is found on it, it is begun alone.
 */
export class Killers {
  readonly #alone: Places
  #suspects: Suspects | undefined

  constructor(handler: string) {
    this.#alone = new Places(handler, 1)
  }

  /** @param at where the handler has its work @throws the signal’s reason */
  async begin(origin: Origin, signal: AbortSignal, at: KillersPlace): Promise<Begun> {
    const suspects = (this.#suspects ??= new Suspects(at.connection, at.work, at.handler))
    await this.#alone.take(signal)
    const solo = soloOf(at.connection)
    let marks: number
    try {
      await solo.take(origin, at.clock, signal)
      marks = await this.#mark(suspects, origin, signal, at)
    } catch (error) {
      solo.give(origin)
      this.#alone.give()
      throw error
    }
    const give = (): void => {
      solo.give(origin)
      this.#alone.give()
    }
    // the first time it is most likely that somebody has stopped or moved the unit
    if (marks === 0) give()
    const end = async (): Promise<void> => {
      if (marks > 0) give()
      await suspects
        .unmark({ origin })
        .catch((error: unknown) => at.log.debug({ detail: messageOf(error) }, 'a mark stays until it expires'))
    }
    return { kills: marks >= MOST_MARKS, end }
  }

  async #mark(suspects: Suspects, origin: Origin, signal: AbortSignal, at: KillersPlace): Promise<number> {
    const { connection, clock, log } = at
    const by = connection.newInbox()
    for (;;)
      try {
        return await suspects.mark({ origin }, by)
      } catch (error) {
        log.debug({ detail: messageOf(error) }, 'an event that was open cannot be looked into yet')
        await clock.sleep(PAUSE_MS, signal)
      }
  }
}

export interface KillersPlace {
  readonly connection: Connection
  readonly clock: Clock
  readonly log: Log
  /** Name of the stream of work. */
  readonly work: string
  readonly handler: string
}
