import type { Subscription } from 'rxjs'

/** A subscription of rxjs 7.8, with what it does when it ends. */
interface Ending {
  _finalizers?: unknown[] | null
}

/** Room that an array gets with its first element. */
const ROOM = 17

/**
 * Gives back the room that the lists of a subscription have for more: one of a few operators holds five lists of one
 * element, with room for seventeen each. Changes nothing else; a list that grows again gets its room again.
 */
export function trimSubscription(subscription: Subscription): void {
  const ending = subscription as unknown as Ending
  const list = ending._finalizers
  if (!Array.isArray(list) || list.length >= ROOM) return
  const exact = list.slice()
  ending._finalizers = exact
  for (const each of exact) if (typeof each === 'object' && each !== null) trimSubscription(each as Subscription)
}
