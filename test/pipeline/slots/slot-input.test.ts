import * as fc from 'fast-check'
import { Subject, type Observable, type Subscription } from 'rxjs'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import type { EventDraft, StoredEvent } from '../../../src/event/event.ts'
import { hashOutput } from '../../../src/pipeline/slots/slot-output.ts'
import { OutputHash } from '../../../src/pipeline/slots/output-hash.ts'
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
        events$: input,
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

test('the hash is that of the texts of an output: what older versions have stored is compared with it', () => {
  const text = fc.oneof(fc.stringMatching(/^[ -~]{0,9}$/), fc.string({ maxLength: 9 }))
  const data = fc.oneof(
    fc.dictionary(text, fc.oneof(text, fc.double(), fc.integer(), fc.constant(-0)), { maxKeys: 5 }),
    fc.jsonValue(),
  )
  fc.assert(
    fc.property(text, text, fc.integer(), data, (type, key, time, value) => {
      const slot = { key: 'k', birth: '7', hash: 0 } as Slot
      const output = { type, key, time, causationId: 'c', data: value } as EventDraft
      const texts = [`k\x007${type}\0`, `${key}\0`, `${time}\0`, 'c\0', JSON.stringify(value)].join('')
      let hash = 0x811c9dc5
      for (let at = 0; at < texts.length; at++) hash = Math.imul(hash ^ texts.charCodeAt(at), 0x01000193)
      assert.is(hashOutput(slot, output), hash >>> 0)
    }),
    { numRuns: 1_000 },
  )
})

test('the hash over living slots is that of each output as it was put out, whenever it is asked for', () => {
  const said = fc.record({
    does: fc.constant<'add'>('add'),
    slot: fc.nat(3),
    data: fc.oneof(fc.constant({}), fc.dictionary(fc.string({ maxLength: 3 }), fc.jsonValue(), { maxKeys: 3 })),
  })
  const others = fc.record({
    does: fc.constantFrom<'ask' | 'settle' | 'remove'>('ask', 'settle', 'remove'),
    slot: fc.nat(3),
  })
  fc.assert(
    fc.property(fc.array(fc.oneof(said, said, others), { maxLength: 30 }), (steps) => {
      const slots = [0, 1, 2, 3].map((at) => ({ key: `k${at}`, birth: `${at}`, hash: 0 }) as Slot)
      const hashes = slots.map(() => 0)
      const hash = new OutputHash()
      const expected = (): number => hashes.reduce((sum, each) => sum ^ each, 0) >>> 0
      for (const step of steps) {
        const slot = slots[step.slot] as Slot
        if ('data' in step) {
          const output = { type: 'a.b', key: 'k', time: 12, causationId: 'c', data: step.data } as unknown as EventDraft
          hashes[step.slot] = hashOutput({ ...slot, hash: hashes[step.slot] } as Slot, output)
          hash.add(slot, output)
          Object.assign(step.data, { changed: 'after the turn' })
        } else if (step.does === 'ask') assert.is(hash.value, expected())
        else if (step.does === 'settle') {
          hash.settle(slot)
          assert.is(slot.hash >>> 0, hashes[step.slot])
        } else {
          hash.remove(slot)
          hashes[step.slot] = 0
        }
      }
      assert.is(hash.value, expected())
    }),
    { numRuns: 300 },
  )
})

test('an output whose data has no JSON is refused at once, and what waits of many outputs is bounded', () => {
  const slot = { key: 'k', birth: '7', hash: 0 } as Slot
  const hash = new OutputHash()
  const output = (data: unknown): EventDraft =>
    ({ type: 'a.b', key: 'k', time: 1, causationId: 'c', data }) as EventDraft
  assert.throws(() => hash.add(slot, output({ amount: 1n })), /BigInt/)
  for (let at = 0; at < 3_000; at++) {
    hash.add(slot, output({ at }))
    assert.ok((slot.unhashed?.length ?? 0) < 1_024)
  }
})

test.run()
