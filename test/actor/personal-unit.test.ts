// Personal values without a server: what may be declared, and how they are sealed.
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { assert as always, jsonValue, property, string } from 'fast-check'
import { z } from 'zod'
import { defineActor } from '../../src/actor/define-actor.ts'
import { newPersonalKey, readPersonalKey, subjectToken, type PersonalKey } from '../../src/actor/personal-key.ts'
import { changeAt, erasedState, type PersonalOptions } from '../../src/actor/personal-fields.ts'
import { sealEvents } from '../../src/actor/seal-personal.ts'
import { replaceEnvelopes, visitEnvelopes } from '../../src/event/envelope-in-data.ts'
import type { Connection } from '../../src/broker/connection.ts'
import { PersonalWatch } from '../../src/actor/personal-watch.ts'
import type { Clock } from '../../src/time/clock.ts'
import { fault, isFault } from '../../src/error/millrace-error.ts'
import { parcelActor, Ship, Shipped, Weighed } from './personal-actor.ts'

const test = suite('personal values: declared and sealed')
const subject = subjectToken('ann')
const key = (at = 1): PersonalKey =>
  readPersonalKey(
    subject,
    newPersonalKey(subject, (size) => new Uint8Array(size).fill(at)),
    at,
  )

function declare(personal: PersonalOptions, state?: z.ZodType<{ email: string | null }>): string {
  try {
    defineActor({
      name: 'parcel',
      version: 1,
      ...(state === undefined ? {} : { state }),
      initial: () => ({ email: null as string | null }),
      commands: [Ship],
      events: [Shipped, Weighed],
      decide: { 'parcel.ship': () => [] },
      evolve: { 'parcel.shipped': (before) => before, 'parcel.weighed': (before) => before },
      personal,
    })
    return ''
  } catch (error) {
    if (isFault(error, 'ACTOR_INVALID')) return error.detail
    throw error
  }
}

test('what is personal must be there in the contract, and must accept null', () => {
  assert.is(declare({ fields: { 'parcel.shipped': ['email', 'address.street'] } }), '')
  assert.match(declare({ fields: { 'parcel.shipped': ['receiver'] } }), /receiver must be nullable/)
  assert.match(declare({ fields: { 'parcel.shipped': ['address.zip'] } }), /its schema has no address.zip/)
  assert.match(declare({ fields: { 'parcel.shippd': ['email'] } }), /parcel.shippd, which is not declared/)
  assert.match(declare({ fields: { 'parcel.shipped': [''] } }), /no path/)
  const strict = z.object({ email: z.string() }) as unknown as z.ZodType<{ email: string | null }>
  assert.match(declare({ fields: {}, state: ['email'] }, strict), /personal.state: email must be nullable/)
  assert.is(declare({ fields: {}, state: ['email'] }, z.object({ email: z.string().nullable() })), '')
  assert.match(declare({ fields: {}, state: ['mail'] }, z.object({ email: z.string().nullable() })), /has no mail/)
})

test('paths reach into what is optional, a union, a list and a record', () => {
  const mail = z.string().nullable()
  const Deep = z.object({
    list: z.array(z.object({ mail })).optional(),
    by: z.record(z.string(), mail).default({}),
    one: z.discriminatedUnion('kind', [z.object({ kind: z.literal('a'), mail }), z.object({ kind: z.literal('b') })]),
  })
  const state = Deep as unknown as z.ZodType<{ email: string | null }>
  assert.is(declare({ fields: {}, state: ['list.*.mail', 'by.*', 'one.mail'] }, state), '')
  const value = { list: [{ mail: 'a' }, { mail: null }], by: { x: 'b' }, one: { kind: 'b' } }
  const personal = {
    subject: undefined,
    fields: new Map(),
    state: [
      ['list', '*', 'mail'],
      ['by', '*'],
      ['one', 'mail'],
    ],
  }
  assert.equal(erasedState(personal, value), {
    list: [{ mail: null }, { mail: null }],
    by: { x: null },
    one: { kind: 'b' },
  })
  assert.is(value.list[0]?.mail, 'a')
})

test('PE1 whatever is sealed comes back, twice the same bytes, and differs with place, value and key', () => {
  always(
    property(jsonValue(), string(), (value, place) => {
      const plain = JSON.parse(JSON.stringify(value)) as unknown
      const sealed = key().seal(plain, place)
      assert.equal(key().open(sealed), plain)
      assert.equal(key().seal(plain, place), sealed)
      assert.is.not(key().seal(plain, `${place}.`).$personal, sealed.$personal)
      assert.is.not(key().seal([plain], place).$personal.slice(0, 16), sealed.$personal.slice(0, 16))
    }),
    { numRuns: 200 },
  )
})

test('a value that was changed, or is of another key, is an error and not another value', () => {
  const sealed = key().seal('mail', 'e')
  const bytes = Buffer.from(sealed.$personal, 'base64')
  for (let at = 0; at < bytes.length; at++) {
    const changed = Buffer.from(bytes)
    changed[at] = (changed[at] ?? 0) ^ 1
    assert.throws(
      () => key().open({ ...sealed, $personal: changed.toString('base64') }),
      (error: unknown) => isFault(error, 'PERSONAL_VALUE_BROKEN'),
    )
  }
  assert.throws(
    () => key(2).open(sealed),
    (error: unknown) => isFault(error, 'PERSONAL_VALUE_BROKEN'),
  )
  assert.throws(
    () => readPersonalKey(subject, Buffer.from('{}'), 1),
    (error: unknown) => isFault(error, 'PERSONAL_KEY_INVALID'),
  )
})

test('PE1 an event keeps what is not personal, null and what is sealed already; without a key none is made', () => {
  const actor = parcelActor()
  const event = {
    id: 'parcel:p:1',
    type: 'parcel.shipped',
    data: { receiver: 'r', email: 'm', address: { street: null, town: 'U' } },
  }
  const [sealed] = sealEvents(actor, key(), [event as never])
  assert.equal(
    replaceEnvelopes(sealed?.data, (one) => key().open(one)),
    event.data,
  )
  let count = 0
  visitEnvelopes(sealed?.data, () => (count += 1))
  assert.is(count, 1)
  assert.equal(sealEvents(actor, key(2), [sealed as never]), [sealed])
  assert.throws(
    () => sealEvents(actor, undefined, [event as never]),
    (error: unknown) => isFault(error, 'PERSONAL_KEY_MISSING'),
  )
  assert.equal(
    changeAt({ a: 1 }, ['b', 'c'], () => 2),
    { a: 1 },
  )
})

test('a watch that a server refuses goes on trying, and says so now and then', async () => {
  const end = new AbortController()
  let now = 0
  const sleep = async (ms: number): Promise<void> => {
    now += ms
    if (now > 70_000) end.abort()
  }
  const refusing = new Proxy({} as Connection, {
    get: () => {
      throw fault('BROKER_PERMISSION_DENIED', 'keys')
    },
  })
  const watch = new PersonalWatch(refusing, { monotonic: () => now, sleep } as unknown as Clock, 1)
  assert.is(await watch.renew(subject, end.signal), undefined)
  const remarks = watch.takeRemarks()
  assert.equal(
    remarks.map(({ level, fields }) => [level, fields['code']]),
    Array.from({ length: 3 }, () => ['warn', 'BROKER_PERMISSION_DENIED']),
  )
  assert.is(remarks[0]?.fields['attempts'], 1)
  assert.ok((remarks[2]?.fields['attempts'] as number) > 10)
  assert.equal(watch.takeRemarks(), [], 'each is told once')
})

test.run()
