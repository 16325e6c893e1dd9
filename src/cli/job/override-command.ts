import { fault } from '../../error/millrace-error.js'
import { issuesOf } from '../../event/data-issues.js'
import { decideJob } from '../../job/decide-job.js'
import { jobPorts } from '../../runtime/open-job.js'
import type { CliContext } from '../context.js'
import { jsonArgument } from '../input/json-argument.js'
import { printJson } from '../json.js'
import { orStopped } from '../or-stopped.js'
import { findJobs, jobNamed, onlyJob, recordStreams } from './find-job.js'

export interface OverrideFlags {
  readonly decision: string
  readonly by: string
  readonly why: string
  readonly stream?: string
}

/** Others may change it at the same moment so often. */
const RACES = 5

/**
 * Replaces the decision of a job, or decides one that is a dead letter; what was there before stays on the log.
 * @throws USAGE, JOB_NOT_FOUND, DECLARATION_UNKNOWN, JOB_DECISION_INVALID with pointers, JOB_NOT_OVER, errors of the broker
 */
export async function overrideCommand(context: CliContext, id: string, flags: OverrideFlags): Promise<void> {
  const { by, why } = flags
  if (by.trim() === '' || why.trim() === '') throw fault('USAGE', 'say --by whom and --why')
  const given = await jsonArgument(context, '--decision', flags.decision)
  const deployment = await context.deployment({ rules: false })
  const { clock, signal, out, json } = context
  const connection = await orStopped(context.connect(), signal)
  const found = onlyJob(await findJobs(context, connection, recordStreams(deployment, flags.stream), id), id)
  const job = jobNamed(deployment, found.state.account.request.name)
  const read = job.declaration.result.safeParse(given)
  if (!read.success) {
    const issues = issuesOf(read.error)
    throw fault('JOB_DECISION_INVALID', `${id}: ${issues[0]?.pointer ?? ''} ${issues[0]?.detail ?? ''}`, { issues })
  }
  const { log } = jobPorts({ ...job, records: found.records }, { connection, clock })
  for (let race = 0; race < RACES; race++) {
    const { state, version } = await orStopped(log.read(id), signal)
    const decision: unknown = read.data
    const verdict = decideJob(state, { kind: 'override', by, why, decision }, clock.now())
    if (verdict.kind === 'refused') throw fault('JOB_NOT_OVER', `${id} is ${state.kind}`)
    const cause = { correlationId: undefined, causationId: id }
    if (!(await orStopped(log.append(id, version, verdict.events, cause), signal))) continue
    const before = state.kind === 'decided' ? state.decision : null
    const stream = found.records.name
    if (json) return printJson(context, { id, stream, by, why, before, decision })
    const was = before === null ? `it was ${state.kind}` : `it was ${JSON.stringify(before)}`
    return out.line(`job ${id} is decided by ${by}: ${JSON.stringify(decision)}; ${was}`)
  }
  throw fault('EXPECTED_VERSION_CONFLICT', `${id} was changed ${RACES} times while it was decided`)
}
