import type { ConfirmedAcks } from '../broker/confirmed-acks.js'
import type { Crew } from './crew.js'
import type { HandlerSource } from './handler-source.js'
import type { InFlight } from './held.js'

export interface HandBackPorts {
  readonly crew: Crew
  readonly sources: readonly HandlerSource[]
  readonly inFlight: InFlight
  readonly acks: ConfirmedAcks
}

/**
 * Stops asking, and gives back everything that has not begun, in the order of the log: as the server delivers again what
 * is given back in the order in which it is. Of a message that has begun the rest comes back with it.
 * @returns how many messages
 */
export async function handBack({ crew, sources, inFlight, acks }: HandBackPorts): Promise<number> {
  const waiting = crew.takeWaiting()
  const begun = crew.heldRunning
  for (const { held } of waiting) {
    held.left = true
    if (begun.has(held)) held.open -= 1
  }
  const arrived = await Promise.all(sources.map((source) => source.drain()))
  let count = 0
  for (const [place, source] of sources.entries()) {
    const own = waiting
      .filter(({ held }) => held.source === place && !begun.has(held) && inFlight.remove(held))
      .map(({ held }) => ({ sequence: held.message.sequence, reply: held.reply }))
    source.release(own.length)
    const back = [...own, ...(arrived[place] ?? [])].toSorted((a, b) => a.sequence - b.sequence)
    acks.handBack(back.map(({ reply }) => reply))
    count += back.length
  }
  return count
}
