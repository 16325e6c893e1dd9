// One that claims rows with its name before it sends them, so that others leave them alone: those of one that died too.
import type { FreshOutbox } from '../outboxes.ts'
import { naiveRelay, type Naive } from './naive-relay.ts'

/** @param dies whether the process ends between claiming and publishing */
export function claimRelay(box: FreshOutbox, name: string, dies: () => boolean): Naive {
  return naiveRelay(box, async ({ sql, table }, publish) => {
    await sql.unsafe(`update ${table} set error = $1 where error is null`, [name])
    if (dies()) return
    const rows = await sql.unsafe(
      `update ${table} set error = 'sent' where error = $1 returning position, data::text as data`,
      [name],
    )
    await publish(rows.map(({ data }) => String(data)))
  })
}
