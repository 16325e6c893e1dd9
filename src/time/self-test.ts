import { asapScheduler, asyncScheduler, type SchedulerLike } from 'rxjs'
import { fault } from '../error/millrace-error.js'
import { runIn } from './ambient.js'
import { EventTimeScheduler } from './event-time-scheduler.js'
import { unguarded } from './guard.js'

/** What the test asks of an rxjs; the module as a whole (`import * as rxjs from 'rxjs'`) will do. */
export interface RxjsModule {
  readonly asyncScheduler: SchedulerLike
  readonly asapScheduler: SchedulerLike
}

/** Time of the turn of the test. */
const START = 1_000

/**
 * Shows that `rxjs` is the one whose default clocks follow the turn: its timers, its asap queue and its time are tried
 * in a turn. Nothing is left behind, also when it fails.
 * @param rxjs the rxjs that pipelines import; by default the one that Millrace imports
 * @throws RXJS_FOREIGN when there are two copies of rxjs, or one of another version; TURN_NESTED in a turn
 */
export function selfTest(rxjs: RxjsModule = { asyncScheduler, asapScheduler }): void {
  const scheduler = new EventTimeScheduler(START)
  // another rxjs would ask the machine for the time
  const missed = runIn(scheduler, () => unguarded(() => missedBy(rxjs, scheduler)))
  if (missed.length === 0) return
  throw fault('RXJS_FOREIGN', `${missed.join(', ')}; Millrace holds ${import.meta.resolve('rxjs')}`)
}

function missedBy(
  { asyncScheduler: timers, asapScheduler: soon }: Partial<RxjsModule>,
  own: EventTimeScheduler,
): string[] {
  if (timers === undefined || soon === undefined) return ['it has no asyncScheduler and asapScheduler']
  const missed: string[] = []
  let ran = 0
  const work = (): void => void ran++
  if (timers.now() !== START) missed.push('asyncScheduler.now() is not event time')
  const timer = timers.schedule(work, 5)
  if (own.nextDue !== START + 5) missed.push('asyncScheduler does not arm its timers on event time')
  const immediate = soon.schedule(work)
  if (own.nextDue !== START) missed.push('asapScheduler does not wait for the end of the turn')
  if (missed.length === 0) {
    own.advanceTo(START + 5)
    if (ran !== 2) missed.push('what was scheduled did not run')
  }
  timer.unsubscribe()
  immediate.unsubscribe()
  return missed
}
