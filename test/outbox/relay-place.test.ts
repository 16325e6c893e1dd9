// How far a relay is, without a database.
import * as fc from 'fast-check'
import { suite } from 'uvu'
import * as assert from 'uvu/assert'
import { isFault } from '../../src/error/millrace-error.ts'
import { defineOutbox } from '../../src/outbox/define-outbox.ts'
import { comparePlaces, decodeRecord, encodeRecord, Horizon, lsnOf, START } from '../../src/outbox/relay-place.ts'
import { postgresClient } from '../../src/sql/postgres-client.ts'
import { queryIn } from '../../src/sql/sql-transaction.ts'
import { Placed, placed } from './outboxes.ts'

const test = suite('place of a relay')

test('OX1 nothing that is still to be committed is below the horizon, whatever overlaps', () => {
  const step = fc.record({ kind: fc.constantFrom('begin', 'insert', 'commit', 'look'), which: fc.nat(5) })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
      const horizon = new Horizon()
      const open: { number: bigint; rows: bigint[] }[] = []
      let [next, log, below] = [10n, 1n, 0n]
      for (const { kind, which } of steps) {
        const one = open[which % Math.max(1, open.length)]
        log += 1n
        if (kind === 'begin') open.push({ number: next++, rows: [] })
        else if (kind === 'insert') one?.rows.push(log)
        else if (kind === 'commit' && one !== undefined) {
          // what comes to be seen now is behind all that was relayed
          assert.ok(one.rows.every((lsn) => lsn >= below))
          open.splice(open.indexOf(one), 1)
        } else if (kind === 'look') {
          const lowest = open.reduce((least, { number }) => (number < least ? number : least), next)
          const reached = horizon.next({ lsn: `0/${log.toString(16)}`, lowest: String(lowest), end: String(next) })
          if (reached !== undefined) below = lsnOf(reached)
        }
      }
    }),
  )
})

test('OX1 the horizon reaches the log when nothing goes on, and stays before a transaction that does', () => {
  const horizon = new Horizon()
  assert.is(horizon.next({ lsn: '0/10', lowest: '5', end: '7' }), undefined)
  for (let at = 0; at < 3_000; at++)
    assert.is(horizon.next({ lsn: `1/${at.toString(16)}`, lowest: '5', end: String(8 + at) }), undefined)
  assert.is(horizon.next({ lsn: '2/0', lowest: '7', end: '9000' }), '0/10')
  assert.is(horizon.next({ lsn: '3/0', lowest: '9001', end: '9001' }), '3/0')
  assert.ok(comparePlaces({ lsn: 'A/0', position: '9' }, { lsn: 'A/0', position: '10' }) < 0)
  assert.ok(comparePlaces({ lsn: 'A/0', position: '9' }, START) > 0)
})

test('a record is read back as it was written, and anything else is refused', () => {
  const place = { lsn: '16/B374D848', position: '7' }
  const record = { place, owner: 'me', count: 2, relayed: 5, letters: 1, duplicates: 0 }
  assert.equal(decodeRecord(encodeRecord(record), 'there'), record)
  assert.is(lsnOf('1/0'), 1n << 32n)
  for (const text of ['', '{}', '{"v":1,"place":{"lsn":"x"},"relayed":0}', '{"v":2}'])
    assert.throws(
      () => decodeRecord(Buffer.from(text), 'there'),
      (error: unknown) => isFault(error, 'OUTBOX_RECORD_INVALID'),
    )
})

const client = () => postgresClient({ unsafe: () => Promise.resolve([]), begin: () => Promise.resolve() })
const options = { name: 'o', stream: 'S', events: [Placed], client } as const

test('an outbox that cannot work is refused where it is declared', () => {
  assert.is(defineOutbox(options).table, 'millrace_outbox')
  const wrong = [
    { name: 'a b' },
    { stream: 1 },
    { events: [] },
    { table: 'a; drop' },
    { client: 1 },
    { batch: 901 },
    { takeover: 1 },
  ]
  for (const more of wrong)
    assert.throws(
      () => defineOutbox({ ...options, ...more } as typeof options),
      (error: unknown) => isFault(error, 'OUTBOX_INVALID'),
      JSON.stringify(more),
    )
})

test('what is added has to be declared, and as its contract says; a transaction has to be one', async () => {
  const outbox = defineOutbox(options)
  const asked: unknown[] = []
  const query = (text: string, values: readonly unknown[] = []) => {
    asked.push(values[0])
    return Promise.resolve([{ id: 'one' }, { id: text.slice(0, 6) }])
  }
  assert.equal(await outbox.add(query, placed(1)), ['one', 'insert'])
  assert.equal(JSON.parse(String(asked[0])), [
    { type: 'order.placed', version: 1, key: 'k', data: { n: 1, key: 'k', at: 0 } },
  ])
  const refusals: [unknown, unknown, string][] = [
    [query, { ...placed(1), type: 'other' }, 'OUTBOX_EVENT_UNDECLARED'],
    [query, { ...placed(1), data: { n: 'text' } }, 'EVENT_DATA_INVALID'],
    [{}, placed(1), 'OUTBOX_TRANSACTION_UNKNOWN'],
    [undefined, placed(1), 'OUTBOX_TRANSACTION_UNKNOWN'],
  ]
  for (const [transaction, draft, code] of refusals) {
    const error = await outbox
      .add(transaction as typeof query, draft as ReturnType<typeof placed>)
      .catch((thrown: unknown) => thrown)
    assert.ok(isFault(error) && error.code === code, `${code}: ${String(error)}`)
  }
})

test('a transaction may be of postgres, of pg, or a function', async () => {
  const rows = [{ a: 1 }]
  const postgres = Object.assign(() => undefined, { unsafe: () => Promise.resolve(rows) })
  const pg = { query: () => Promise.resolve({ rows }) }
  for (const one of [postgres, pg, () => Promise.resolve(rows)])
    assert.equal(await queryIn(one as Parameters<typeof queryIn>[0])?.('select'), rows)
})

test.run()
