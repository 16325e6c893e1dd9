import { formatTime } from '../../event/rfc3339.js'
import { decodeToken } from '../../event/subject.js'
import { dueOf } from '../../schedule/delayed-message.js'
import { nextTick } from '../../schedule/tick-rule.js'
import type { CliContext } from '../context.js'
import { printJson } from '../json.js'
import { orStopped } from '../or-stopped.js'
import { printSchedules, readSchedules, scheduleJson } from '../status/read-schedules.js'
import { findWaiting, scheduleNamed, waitingStreams, type StreamFlag } from './waiting-streams.js'

/** So many ticks are told ahead. */
const AHEAD = 5

/** A schedule, or an event that waits. @throws DELAYED_EVENT_NOT_PENDING neither has the name; errors of the broker */
export async function showCommand(context: CliContext, name: string, flags: StreamFlag): Promise<void> {
  const { out, json, signal } = context
  const deployment = await context.deployment({ rules: false })
  const connection = await orStopped(context.connect(), signal)
  const schedule = scheduleNamed(deployment, name)
  if (schedule !== undefined) {
    const [row] = await readSchedules(connection, [schedule])
    if (row === undefined) return
    const ahead: number[] = []
    for (let at = row.next; at !== undefined && ahead.length < AHEAD;) {
      ahead.push(at)
      at = nextTick(schedule.declaration.rule, at)
    }
    if (json) return printJson(context, { ...scheduleJson(row), ahead: ahead.map(formatTime) })
    printSchedules(out, [row])
    out.line()
    out.line(`missed ticks: ${row.missedPolicy}`)
    for (const at of ahead) out.line(`due ${formatTime(at)}`)
    return
  }
  const { stream, message } = await findWaiting(connection, waitingStreams(deployment, flags), name)
  const of = (header: string): string | null => {
    const value = message.header(header)
    return value === undefined ? null : (decodeToken(value) ?? value)
  }
  const due = dueOf(message.header)
  const text = Buffer.from(message.data).toString()
  const found = {
    id: name,
    stream: stream.name,
    due: due === undefined ? null : formatTime(due),
    setAt: formatTime(message.storedAt),
    type: of('ce-type'),
    eventId: of('ce-id'),
    key: of('ce-partitionkey'),
    data: text === '' ? null : (JSON.parse(text) as unknown),
  }
  if (json) return printJson(context, found)
  for (const [field, value] of Object.entries(found))
    if (value !== null) out.line(`${field.padEnd(8)} ${typeof value === 'string' ? value : JSON.stringify(value)}`)
}
