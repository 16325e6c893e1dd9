// The relay that most write first: what is behind the last position, in the order of positions. It passes over rows whose
// transactions commit late, for their positions were given out before.
import type { FreshOutbox } from '../outboxes.ts'
import { naiveRelay, type Naive } from './naive-relay.ts'

export function cursorRelay(box: FreshOutbox): Naive {
  let last = '0'
  return naiveRelay(box, async ({ sql, table }, publish) => {
    const rows = await sql.unsafe(
      `select position::text, data::text as data from ${table} where position > $1::text::bigint order by position limit 100`,
      [last],
    )
    await publish(rows.map(({ data }) => String(data)))
    last = String(rows.at(-1)?.['position'] ?? last)
  })
}
