import { fault, messageOf } from '../error/millrace-error.js'
import type { Event } from '../event/event.js'
import type { ActorDeclaration } from './actor-options.js'
import type { Aggregate } from './aggregate.js'

const LONGEST_STATE = 300

/**
 * @param aggregate after the event
 * @throws INVARIANT_BROKEN naming the first that is not true, the event that broke it and the state
 */
export function checkInvariants(actor: ActorDeclaration, aggregate: Aggregate, event: Event | undefined): void {
  for (const [name, holds] of actor.invariants) {
    let broken: string | undefined
    let cause: unknown
    try {
      if (holds(aggregate.state) !== true) broken = 'is not so'
    } catch (error) {
      broken = `threw: ${messageOf(error)}`
      cause = error
    }
    if (broken === undefined) continue
    const { id, version, state } = aggregate
    const after = event === undefined ? '' : ` after ${event.type} ${JSON.stringify(event.data)}`
    const shown = (JSON.stringify(state) ?? String(state)).slice(0, LONGEST_STATE)
    throw fault('INVARIANT_BROKEN', `${actor.name} ${id}, version ${version}: "${name}" ${broken}${after}: ${shown}`, {
      cause,
    })
  }
}
