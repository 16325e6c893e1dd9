// The relay of an outbox, against the loop that most write first: it reads behind the last position, and so passes over
// rows whose transactions commit late, which the relay does not.
import { jetstream } from '@nats-io/jetstream'
import { messageOf } from '../src/error/millrace-error.ts'
import { systemClock } from '../src/time/system-clock.ts'
import { freshOutbox, type FreshOutbox } from '../test/outbox/outboxes.ts'
import { after } from '../test/support/cleanup.ts'
import { startPostgres } from '../test/support/postgres.ts'
import { isWanted, measure, perSecond, type Bench } from './harness.ts'

const ROWS = 20_000
const AT_ONCE = 500
const NAME = 'outbox.relay'

export const outbox: Bench = async (context) => {
  if (!isWanted(context, NAME)) return
  try {
    const { url } = await startPostgres()
    let box: FreshOutbox
    await measure(context, 'outbox', {
      name: NAME,
      unit: 'rows/s',
      against: `select behind the last position + publish, ${AT_ONCE} at a time, with receipts`,
      fresh: true,
      prepare: async () => {
        box = await filled(url)
      },
      candidate: () => relayed(box),
      baseline: () => looped(box),
    })
  } catch (error) {
    console.error(`${NAME} is left out: ${messageOf(error).split('\n')[0]}`)
  } finally {
    await after()
  }
}

async function filled(url: string): Promise<FreshOutbox> {
  const box = await freshOutbox(url, { streamOptions: { storage: 'file' } })
  await box.sql.unsafe(
    `insert into ${box.table} (type, key, data) select 'order.placed', 'k' || n % 100,
       json_build_object('n', n, 'key', 'k' || n % 100, 'at', 0) from generate_series(1, ${ROWS}) as n`,
  )
  return box
}

async function relayed(box: FreshOutbox): Promise<number> {
  const rate = await perSecond(ROWS, async () => {
    const relay = box.relay()
    while (relay.status.relayed < ROWS) await systemClock.sleep(2)
    void relay.stop()
  })
  return rate
}

async function looped({ sql, table, stream, connection }: FreshOutbox): Promise<number> {
  const js = jetstream(connection.nats)
  return perSecond(ROWS, async () => {
    for (let [last, done] = ['0', 0]; done < ROWS;) {
      const rows = await sql.unsafe(
        `select position::text, key, type, data::text as data from ${table}
         where position > $1::text::bigint order by ${table}.position limit ${AT_ONCE}`,
        [last],
      )
      if (rows.length === 0) throw new Error(`${done} rows of ${ROWS}`)
      await Promise.all(rows.map(({ key, type, data }) => js.publish(`${stream.root}.${key}.${type}`, String(data))))
      last = String(rows.at(-1)?.['position'] ?? last)
      done += rows.length
    }
  })
}
