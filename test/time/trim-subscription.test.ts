import { filter, finalize, map, scan, Subject, take } from 'rxjs'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { trimSubscription } from '../../src/time/trim-subscription.ts'

const test = suite('room of subscriptions')

for (const trimmed of [false, true])
  test(`a chain ${trimmed ? 'whose lists were trimmed' : 'as it was'} takes, ends and lets go of everything`, () => {
    const ended: string[] = []
    const input = new Subject<number>()
    const seen: number[] = []
    const subscribe = () =>
      input
        .pipe(
          finalize(() => ended.push('first')),
          scan((sum, each) => sum + each, 0),
          filter((sum) => sum > 1),
          map((sum) => sum * 10),
          finalize(() => ended.push('last')),
        )
        .subscribe((value) => seen.push(value))
    const subscription = subscribe()
    if (trimmed) trimSubscription(subscription)
    const inner = input.pipe(take(1)).subscribe()
    subscription.add(inner)
    subscription.add(() => ended.push('added'))
    for (const value of [1, 2, 3]) input.next(value)
    assert.equal(seen, [30, 60])
    assert.is(inner.closed, true)
    subscription.unsubscribe()
    assert.equal([...ended].sort(), ['added', 'first', 'last'])
    assert.is(input.observed, false)
    const completing = subscribe()
    if (trimmed) trimSubscription(completing)
    input.complete()
    assert.is(completing.closed, true)
    assert.is(ended.length, 5)
  })

test.run()
