import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { z } from 'zod'
import { checkContracts } from '../../../src/event/compatibility/check-contracts.ts'
import {
  EMPTY_RECORD,
  parseRecord,
  updateRecord,
  type ContractsRecord,
  type DeclaredContract,
} from '../../../src/event/compatibility/contract-record.ts'
import { formatRecord } from '../../../src/event/compatibility/format-record.ts'
import { defineEvent, type EventContract } from '../../../src/event/contract.ts'
import { isFault } from '../../../src/error/millrace-error.ts'

const test = suite('checking contracts')
const key = (data: { id: string }): string => data.id
const first = z.object({ id: z.string(), amount: z.number() })
const paid = (data: z.ZodType, more: object = {}): DeclaredContract =>
  event(defineEvent('order.paid', { data, key: key as never, ...more }))

function event(contract: EventContract): DeclaredContract {
  return { contract, kind: 'event' }
}

function recordOf(...declared: DeclaredContract[]): ContractsRecord {
  return updateRecord(EMPTY_RECORD, declared)
}

function found(
  record: ContractsRecord,
  declared: readonly DeclaredContract[],
  mode?: 'backward' | 'forward' | 'full' | 'none',
): string[] {
  return checkContracts(record, declared, { mode }).map(({ severity, kind, version, pointer }) =>
    `${severity} ${kind} ${version} ${pointer ?? ''}`.trimEnd(),
  )
}

const V1 = paid(first)
const recorded = recordOf(V1)

test('EC2 what is as recorded has nothing to find', () => {
  assert.equal(found(recorded, [V1], 'full'), [])
})

test('EC2 a change without a new version that does not read what is stored is found with its pointer, and what to do', () => {
  const [finding] = checkContracts(recorded, [paid(first.extend({ currency: z.string() }))])
  assert.is(finding?.severity, 'break')
  assert.is(finding?.pointer, '/currency')
  assert.match(finding?.breaks ?? '', /EVENT_DATA_INVALID/)
  assert.match(finding?.advice ?? '', /default; or declare version 2 of order\.paid with upcasters/)
})

test('EC2 a pointer is escaped', () => {
  const odd = (inner: z.ZodType): DeclaredContract => paid(first.extend({ 'a/b~c': inner }))
  assert.is(checkContracts(recordOf(odd(z.string())), [odd(z.int())])[0]?.pointer, '/a~1b~0c')
})

test('a change that reads what is stored is no break, and has to be recorded before the next one', () => {
  const wider = paid(first.extend({ note: z.string().optional() }))
  assert.equal(found(recorded, [wider]), ['unrecorded unrecorded 1'])
  assert.equal(found(updateRecord(recorded, [wider]), [wider]), [])
})

test('EC2 two harmless steps that are a break together are found: all that a version was written with is kept', () => {
  const steps = [first.extend({ note: z.string() }), first, first.extend({ note: z.number().optional() })].map((data) =>
    paid(data),
  )
  const [one, two, three] = steps as [DeclaredContract, DeclaredContract, DeclaredContract]
  assert.equal(found(recordOf(one), [two]), ['unrecorded unrecorded 1'], 'without the field')
  assert.equal(found(recordOf(two), [three]), ['unrecorded unrecorded 1'], 'which comes back as another one')
  assert.equal(found(updateRecord(recordOf(one), [two]), [three]), ['break changed 1 /note'])
})

test('a new version with an upcaster is no break for who reads what is stored, and one for code that runs', () => {
  const second = paid(first.extend({ currency: z.string() }), {
    version: 2,
    upcasters: { 1: (data: object) => ({ ...data, currency: 'EUR' }) },
  })
  assert.equal(found(recorded, [second]), ['unrecorded unrecorded 2'])
  assert.equal(found(recorded, [second], 'forward'), ['break new-version 2'])
  const both = updateRecord(recorded, [second])
  assert.equal(Object.keys(both.contracts['order.paid']?.versions ?? {}), ['1', '2'])
  assert.equal(found(both, [second], 'full'), [])
})

test('EC2 a version whose upcaster is gone is found, and one that the code has gone back behind', () => {
  const second = paid(first, { version: 2, upcasters: { 1: (data: unknown) => data } })
  const both = updateRecord(recorded, [second])
  assert.equal(found(both, [paid(first, { version: 2, upcasters: {} })]), ['break upcaster-missing 1'])
  assert.equal(found(both, [V1]), ['break version-back 2'])
})

test('EC2 a type that is not declared any more is found, where its events are to be read', () => {
  assert.equal(found(recorded, []), ['break removed 1'])
  assert.equal(found(recorded, [], 'forward'), ['unrecorded unrecorded 1'])
})

test('EC2 a key that comes or goes is found, and a type that becomes a command', () => {
  const keyless = event(defineEvent('order.paid', { data: first }))
  assert.equal(found(recorded, [keyless]), ['break key-changed 1'])
  assert.equal(found(recordOf(keyless), [V1]), ['break key-changed 1'])
  assert.equal(found(recorded, [{ ...V1, kind: 'command' }]), ['break kind-changed 1'])
})

test('who reads what is decided by the contract, and by the check where it says so', () => {
  const narrow = z.object({ id: z.string(), amount: z.number().max(9) })
  const wide = z.object({ id: z.string(), amount: z.union([z.number(), z.string()]) })
  assert.equal(found(recorded, [paid(narrow)]), ['break changed 1 /amount'], 'backward by itself')
  assert.equal(found(recorded, [paid(narrow, { compatibility: 'forward' })]), ['unrecorded unrecorded 1'])
  assert.equal(found(recorded, [paid(wide, { compatibility: 'forward' })]), ['break changed 1 /amount'])
  assert.equal(found(recorded, [paid(narrow, { compatibility: 'full' })]), ['break changed 1 /amount'])
  assert.equal(found(recorded, [paid(wide, { compatibility: 'full' })]), ['break changed 1 /amount'])
  assert.equal(found(recorded, [paid(narrow, { compatibility: 'none' })]), ['unrecorded unrecorded 1'])
  assert.equal(found(recorded, [paid(narrow)], 'none'), ['unrecorded unrecorded 1'])
})

test('an upcaster that refuses data which its version has room for is a note', () => {
  const throwing = { 1: (data: { amount: number }) => ({ ...data, amount: data.amount.toFixed(2) }) }
  const second = paid(z.object({ id: z.string(), amount: z.number() }), { version: 2, upcasters: throwing })
  const [note, more] = checkContracts(updateRecord(recorded, [second]), [second])
  assert.is(note?.severity, 'note')
  assert.is(note?.pointer, '/amount')
  assert.match(note?.detail ?? '', /version 1 has room for \{/)
  assert.is(more, undefined)
})

test('accepting breaks forgets what the type was, and nothing of others', () => {
  const other = event(defineEvent('order.sent', { data: first, key: key as never }))
  const before = updateRecord(recordOf(V1, other), [paid(first.extend({ note: z.string().optional() })), other])
  const broken = paid(z.object({ id: z.string() }).extend({ amount: z.string() }))
  const after = updateRecord(before, [broken, other], { acceptBreaks: new Set(['order.paid']) })
  assert.is(after.contracts['order.paid']?.versions['1']?.length, 1)
  assert.equal(after.contracts['order.sent'], before.contracts['order.sent'])
  assert.equal(found(after, [broken, other]), [])
})

test('a record is the same text whatever the order of the declaration, and comes back from it', () => {
  const turned = paid(z.object({ amount: z.number(), id: z.string() }))
  const sent = event(defineEvent('order.sent', { data: first.describe('Words.') }))
  const text = formatRecord(recordOf(V1, sent))
  assert.is(formatRecord(recordOf(sent, turned)), text)
  assert.equal(parseRecord(text, 'f'), recordOf(V1, sent))
  assert.match(text, /\n +"amount": \{ "type": "number" \},\n/, 'a field is a line')
})

test('a record that cannot be read says where', () => {
  for (const [text, where] of [
    ['{', /not JSON/],
    ['{"format":2,"contracts":{}}', /\/format/],
    ['{"format":1,"contracts":{"a":{}}}', /\/contracts\/a/],
  ] as const)
    try {
      parseRecord(text, 'streams/x/contracts.lock.json')
      assert.unreachable()
    } catch (error) {
      assert.ok(isFault(error, 'CONTRACTS_RECORD_INVALID'), String(error))
      assert.match(error.detail, /^streams\/x/)
      assert.match(error.detail, where)
    }
})
test.run()
