import { randomUUID } from 'node:crypto'
import { Publisher } from '../../broker/publisher.js'
import { fault } from '../../error/millrace-error.js'
import { requestOf } from '../../job/take-request.js'
import type { CliContext } from '../context.js'
import { checkEvent } from '../input/event-line.js'
import { jsonArgument } from '../input/json-argument.js'
import { printJson } from '../json.js'
import { orStopped } from '../or-stopped.js'
import { eventMessage } from '../publish/event-message.js'
import { ExistingStreams } from '../publish/targets.js'
import { findJobs, jobNamed } from './find-job.js'
import { standingOf } from './job-story.js'
import { timeText } from './job-time.js'

export interface SubmitFlags {
  /** JSON, `@file`, or `@-` for standard input. */
  readonly data?: string
  readonly id?: string
}

const SOURCE = '/millrace/job-submit'

/**
 * Requests a job by publishing its event, or says that there is one with this id. What cannot be asked is refused here, and
 * not published.
 * @throws DECLARATION_UNKNOWN, EVENT_DATA_INVALID with pointers, PROMPT_VALUE_MISSING, JOB_REQUEST_INVALID, JOB_ID_TAKEN,
 *   STREAM_NOT_FOUND and others of the broker
 */
export async function submitCommand(context: CliContext, name: string, flags: SubmitFlags): Promise<void> {
  const { clock, signal, out, json } = context
  const deployment = await context.deployment({ rules: false })
  const { declaration, stream, records } = jobNamed(deployment, name)
  const data = await jsonArgument(context, '--data', flags.data ?? '{}')
  const id = flags.id ?? randomUUID()
  const { type } = declaration.on.event
  const checked = checkEvent({ type, data, id }, deployment.registry, {
    id: randomUUID,
    source: SOURCE,
    time: clock.now(),
  })
  if (checked.kind === 'rejected') throw fault(checked.code, checked.detail, { issues: checked.issues })
  const { request } = requestOf(declaration, { ...checked.current, stream: stream.name, sequence: 0, storedAt: 0 })
  const connection = await orStopped(context.connect(), signal)
  await orStopped(new ExistingStreams(connection).require(stream.name), signal)
  const [found] = await findJobs(context, connection, [records], id)
  if (found !== undefined) {
    const { state } = found
    const other = state.account.request.name
    if (other !== name) throw fault('JOB_ID_TAKEN', `${id} is a job ${other}, and ${name} is requested`)
    if (json) return printJson(context, { id, job: name, stream: stream.name, submitted: false, state: state.kind })
    return out.line(`job ${name} ${id} was requested before: ${standingOf(state, timeText)}`)
  }
  const publisher = new Publisher(connection, { clock })
  try {
    const message = eventMessage(checked.event, stream, connection.server.maxPayload)
    const { sequence, duplicate } = await orStopped(publisher.publish(message), signal)
    if (json)
      return printJson(context, { id, job: name, stream: stream.name, submitted: !duplicate, sequence, state: 'none' })
    const how = duplicate ? 'was submitted before' : `submitted, ${request.lane}, tenant ${request.tenant}`
    out.line(`job ${name} ${id} ${how}: ${stream.name} ${sequence}`)
  } finally {
    publisher.close()
  }
}
