import { DelayedEvents } from '../../schedule/delayed-events.js'
import { systemId } from '../../time/system-chance.js'
import type { CliContext } from '../context.js'
import { printJson } from '../json.js'
import { orStopped } from '../or-stopped.js'
import { findWaiting, waitingStreams, type StreamFlag } from './waiting-streams.js'

/** @throws DELAYED_EVENT_NOT_PENDING its time has come, or it was never set; DECLARATION_UNKNOWN, errors of the broker */
export async function cancelCommand(context: CliContext, id: string, flags: StreamFlag): Promise<void> {
  const { out, json, signal, clock } = context
  const deployment = await context.deployment({ rules: false })
  const connection = await orStopped(context.connect(), signal)
  const { stream } = await findWaiting(connection, waitingStreams(deployment, flags), id)
  const delayed = new DelayedEvents({ connection, clock, newId: systemId, stream, events: [] })
  context.atEnd(() => delayed.close())
  const { outcome } = await orStopped(delayed.cancelScheduled(id, { require: 'pending' }), signal)
  if (json) printJson(context, { id, stream: stream.name, outcome })
  else out.line(`${id}  cancelled: it will not come`)
}
