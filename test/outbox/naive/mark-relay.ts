// One that publishes first and marks rows as sent behind that, in one go: killed in between it sends them again, beyond
// the time for which the stream remembers ids; and one row that cannot be sent keeps all that come with it.
import type { FreshOutbox } from '../outboxes.ts'
import { naiveRelay, type Naive } from './naive-relay.ts'

/** @param killed whether the process ends between publishing and marking */
export function markRelay(box: FreshOutbox, killed: () => boolean): Naive {
  return naiveRelay(box, async ({ sql, table }, publish) => {
    const rows = await sql.unsafe(
      `select position::text, data::text as data from ${table} where error is null order by position limit 100`,
    )
    await publish(rows.map(({ data }) => String(data)))
    if (killed()) return
    const sent = rows.map(({ position }) => String(position))
    await sql.unsafe(`update ${table} set error = 'sent' where position::text = any(string_to_array($1, ','))`, [
      sent.join(','),
    ])
  })
}
