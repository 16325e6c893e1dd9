import { publishBatch } from '../../broker/batch.js'
import { readLast } from '../../broker/last-message.js'
import { scheduleSubject } from '../../broker/system-subject.js'
import { isFault, fault, messageOf } from '../../error/millrace-error.js'
import type { WireMessage } from '../../event/wire.js'
import { decodeRecord } from '../../schedule/schedule-record.js'
import { tickMessages, tickOf } from '../../schedule/tick-messages.js'
import type { CliContext } from '../context.js'
import { printJson } from '../json.js'
import { orStopped } from '../or-stopped.js'
import { counted } from '../table.js'
import { requireSchedule } from './waiting-streams.js'

/**
 * Publishes the events of a tick that is due in this moment, beside those that are due by the schedule.
 * @throws DECLARATION_UNKNOWN, SCHEDULE_EMITS_FAILED, SCHEDULE_EMITS_INVALID and errors of a contract or the broker
 */
export async function runCommand(context: CliContext, name: string): Promise<void> {
  const { out, json, signal, clock } = context
  const { declaration, stream } = requireSchedule(await context.deployment({ rules: false }), name)
  const connection = await orStopped(context.connect(), signal)
  const subject = scheduleSubject(stream.name, declaration.name)
  const last = await readLast(connection, stream.name, subject)
  const previous = last === undefined ? undefined : decodeRecord(last.data, subject).last?.nominal
  const tick = tickOf(declaration.name, { nominal: Math.floor(clock.now()), missed: 0 }, previous)
  let messages: readonly WireMessage[]
  try {
    messages = tickMessages(declaration, stream, tick, connection.server.maxPayload)
  } catch (cause) {
    if (isFault(cause)) throw cause
    throw fault('SCHEDULE_EMITS_FAILED', `${declaration.name}: ${messageOf(cause)}`, { cause })
  }
  if (messages.length > 0) await publishBatch(connection, messages)
  if (json) printJson(context, { schedule: declaration.name, tick: tick.time, events: messages.length })
  else out.line(`schedule-${declaration.name}  a tick of ${tick.time}: ${counted(messages.length, 'event')}`)
}
