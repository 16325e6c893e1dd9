import * as fc from 'fast-check'
import { Subject, type Observable, type Subscription } from 'rxjs'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { StoredEvent } from '../../../src/event/event.ts'
import { hashOutput } from '../../../src/pipeline/slots/slot-output.ts'
import { SlotInput } from '../../../src/pipeline/slots/slot-input.ts'
import type { Slot } from '../../../src/pipeline/slots/slot.ts'

const test = suite('what goes into a slot and what comes out of it')

interface Input {
  readonly events$: Observable<StoredEvent>
  next(event: StoredEvent): void
  complete(): void
}

/** What a subscriber does when the event of a number comes. */
const reaction = fc.record({
  at: fc.nat(4),
  does: fc.oneof(fc.constant<'subscribe'>('subscribe'), fc.nat(5)),
})
const step = fc.oneof(
  fc.constant<'next'>('next'),
  fc.constant<'next'>('next'),
  fc.record({ reactions: fc.array(reaction, { maxLength: 2 }) }),
  fc.nat(5),
  fc.constant<'complete'>('complete'),
)

/** Runs the steps, and tells what each subscriber has seen. A number ends the subscription of that number. */
function seen(input: Input, steps: readonly (typeof step extends fc.Arbitrary<infer T> ? T : never)[]): string[] {
  const told: string[] = []
  const subscriptions: Subscription[] = []
  let number = 0
  let subscribers = 0
  const subscribe = (reactions: readonly { at: number; does: 'subscribe' | number }[]): void => {
    const name = (subscribers += 1)
    const subscription = input.events$.subscribe({
      next: ({ sequence }) => {
        told.push(`${name}:${sequence}`)
        for (const { at, does } of reactions)
          if (at !== sequence) continue
          else if (does === 'subscribe') subscribe([])
          else subscriptions[does]?.unsubscribe()
      },
      complete: () => told.push(`${name}:end`),
    })
    subscriptions.push(subscription)
  }
  for (const each of steps)
    if (each === 'next') input.next({ sequence: number++ } as StoredEvent)
    else if (each === 'complete') input.complete()
    else if (typeof each === 'number') subscriptions[each]?.unsubscribe()
    else subscribe(each.reactions)
  return told
}

test('subscribers of a slot’s events see what those of a Subject would, whenever they come and go', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 14 }), (steps) => {
      const subject = new Subject<StoredEvent>()
      const expected = seen(
        { events$: subject.asObservable(), next: (event) => subject.next(event), complete: () => subject.complete() },
        steps,
      )
      let ended = false // after its end a slot gets no event
      const input = new SlotInput()
      const guarded: Input = {
        events$: input.events$,
        next: (event) => (ended ? undefined : input.next(event)),
        complete: () => {
          ended = true
          input.complete()
        },
      }
      assert.equal(seen(guarded, steps), expected)
    }),
    { numRuns: 2_000 },
  )
})

test('the hash over what a slot put out is the one that commits have stored so far', () => {
  const draft = { type: 'a.b', version: 1, key: 'k', time: 12, causationId: 'c', data: { a: 1, b: 'x' } }
  const more = { id: undefined, source: undefined, correlationId: undefined, attributes: {} }
  const slot = { key: 'k', birth: '7', hash: 0 } as Slot
  const first = hashOutput(slot, { ...draft, ...more })
  assert.is(first, fnv('k\x007a.b\x00k\x0012\x00c\x00{"a":1,"b":"x"}'))
  slot.hash = first
  assert.is(
    hashOutput(slot, { ...draft, ...more, key: undefined, data: undefined }),
    fnv('a.b\x00undefined\x0012\x00c\x00undefined', first),
  )
})

function fnv(text: string, from = 0x811c9dc5): number {
  let value = from
  for (const unit of text) value = Math.imul(value ^ unit.charCodeAt(0), 0x01000193)
  return value >>> 0
}

test.run()
