// The windows of pipeline.slots-bufferTime as one writes them in RxJS, in memory and without any promise: groupBy per
// key, bufferTime in each group, on a clock that the events drive.
import { bufferTime, filter, groupBy, map, mergeMap, Subject } from 'rxjs'
import { EventTimeScheduler } from '../src/time/event-time-scheduler.ts'
import { runIn } from '../src/time/ambient.ts'

/** @returns events per second */
export async function inMemoryWindows(count: number, keys: number, windowMs: number): Promise<number> {
  const scheduler = new EventTimeScheduler(0)
  const events$ = new Subject<{ key: string; time: number; amount: number }>()
  let windows = 0
  const subscription = runIn(scheduler, () =>
    events$
      .pipe(
        groupBy(({ key }) => key),
        mergeMap((group$) =>
          group$.pipe(
            bufferTime(windowMs),
            filter((events) => events.length > 0),
            map((events) => events.reduce((sum, { amount }) => sum + amount, 0)),
          ),
        ),
      )
      .subscribe(() => (windows += 1)),
  )
  // every key lives before the clock starts: a pipeline that has run for a while
  runIn(scheduler, () => {
    for (let key = 0; key < keys; key++) events$.next({ key: `card-${key}`, time: 0, amount: 1 })
  })
  const started = performance.now()
  for (let at = 0; at < count; at++)
    runIn(scheduler, () => {
      scheduler.advanceTo(at)
      events$.next({ key: `card-${at % keys}`, time: at, amount: at })
    })
  const seconds = (performance.now() - started) / 1_000
  subscription.unsubscribe()
  if (windows === 0) throw new Error('no window came to its end')
  return count / seconds
}
