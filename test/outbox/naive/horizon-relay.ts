// One that minds the horizon, and takes rows in the order of transactions and positions: none is passed over, but of one
// key a row may come before another one that it follows.
import type { FreshOutbox } from '../outboxes.ts'
import { naiveRelay, type Naive } from './naive-relay.ts'

export function horizonRelay(box: FreshOutbox): Naive {
  let last = ['0', '0']
  return naiveRelay(box, async ({ sql, table }, publish) => {
    const rows = await sql.unsafe(
      `select xid::text, position::text, data::text as data from ${table}
       where (xid, position) > ($1::text::xid8, $2::text::bigint) and xid < pg_snapshot_xmin(pg_current_snapshot())
       order by xid, position limit 100`,
      last,
    )
    await publish(rows.map(({ data }) => String(data)))
    const end = rows.at(-1)
    if (end !== undefined) last = [String(end['xid']), String(end['position'])]
  })
}
