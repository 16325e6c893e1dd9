// The windows of pipeline.slots-bufferTime as one writes them in RxJS, in memory and without any promise: groupBy per
// key, bufferTime in each group, on a clock that the events drive, over the loop of bench/consume.ts.
import { bufferTime, filter, groupBy, map, mergeMap, Subject } from 'rxjs'
import type { Connection } from '../src/broker/connection.ts'
import { runIn } from '../src/time/ambient.ts'
import { EventTimeScheduler } from '../src/time/event-time-scheduler.ts'
import { callbackLoop } from './consume.ts'
import { perSecond } from './harness.ts'
import { SPACING_MS, WINDOW_MS } from './pipeline-cases.ts'

interface Payment {
  readonly cardId: string
  readonly amount: number
}

/** @param keys that live when the measurement begins: a pipeline that has run for a while */
export async function inMemoryWindows(
  connection: Connection,
  stream: string,
  durable: string,
  count: number,
  keys: number,
) {
  const scheduler = new EventTimeScheduler(0)
  const payments$ = new Subject<Payment>()
  let windows = 0
  const subscription = runIn(scheduler, () =>
    payments$
      .pipe(
        groupBy(({ cardId }) => cardId),
        mergeMap((group$) =>
          group$.pipe(
            bufferTime(WINDOW_MS),
            filter((payments) => payments.length > 0),
            map((payments) => payments.reduce((sum, { amount }) => sum + amount, 0)),
          ),
        ),
      )
      .subscribe(() => (windows += 1)),
  )
  runIn(scheduler, () => {
    for (let key = 0; key < keys; key++) payments$.next({ cardId: `card-${key}`, amount: 1 })
  })
  const take = (payment: Payment): void => {
    scheduler.advanceTo(scheduler.now() + SPACING_MS)
    payments$.next(payment)
  }
  const rate = await perSecond(count, () =>
    callbackLoop(connection, stream, durable, count, (data) => runIn(scheduler, take, data as Payment)),
  )
  subscription.unsubscribe()
  if (windows === 0) throw new Error('no window came to its end')
  return rate
}
