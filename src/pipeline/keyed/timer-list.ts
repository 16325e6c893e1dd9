import { NamedTimer, type TimerHeap, type TimerOwner } from './timer-heap.js'

/** What has named timers: a few, so that they are a list. */
export interface TimedOwner<Self extends TimerOwner> extends TimerOwner {
  timers: NamedTimer<Self> | undefined
}

/** Every timer of an owner. */
export function* timersOf<Owner extends TimedOwner<Owner>>(owner: Owner): Generator<NamedTimer<Owner>> {
  for (let timer = owner.timers; timer !== undefined; timer = timer.next) yield timer
}

/** Sets a timer, in place of one of the same name. Returns when that was due; undefined: there was none. */
export function setTimer<Owner extends TimedOwner<Owner>>(
  owner: Owner,
  heap: TimerHeap<Owner>,
  name: string,
  due: number,
): number | undefined {
  let before: NamedTimer<Owner> | undefined
  for (let timer = owner.timers; timer !== undefined; before = timer, timer = timer.next) {
    if (timer.name !== name) continue
    const was = timer.due
    if (due >= was) {
      timer.due = due
      return was
    }
    const earlier = new NamedTimer(owner, name, due, timer.next)
    link(owner, before, earlier)
    heap.cancel(timer)
    heap.add(earlier)
    return was
  }
  heap.add((owner.timers = new NamedTimer(owner, name, due, owner.timers)))
  return undefined
}

/** Cancels a timer. Returns when it was due; undefined: there was none. */
export function dropTimer<Owner extends TimedOwner<Owner>>(
  owner: Owner,
  heap: TimerHeap<Owner>,
  name: string,
): number | undefined {
  let before: NamedTimer<Owner> | undefined
  for (let timer = owner.timers; timer !== undefined; before = timer, timer = timer.next) {
    if (timer.name !== name) continue
    const was = timer.due
    link(owner, before, timer.next)
    heap.cancel(timer)
    return was
  }
  return undefined
}

/** Takes a timer that the heap has given out off its owner. */
export function unlinkFired<Owner extends TimedOwner<Owner>>(fired: NamedTimer<Owner>): void {
  const { owner } = fired
  let before: NamedTimer<Owner> | undefined
  for (let timer = owner.timers; timer !== undefined; before = timer, timer = timer.next)
    if (timer === fired) return link(owner, before, fired.next)
}

function link<Owner extends TimedOwner<Owner>>(
  owner: Owner,
  before: NamedTimer<Owner> | undefined,
  next: NamedTimer<Owner> | undefined,
): void {
  if (before === undefined) owner.timers = next
  else before.next = next
}
