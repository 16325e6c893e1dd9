import { resume } from '../../kernel/ownership/pause.js'
import { readPaused } from '../../kernel/ownership/read-ownership.js'
import { processorId } from '../../kernel/processor.js'
import { handlerId } from '../../runtime/deployed-handlers.js'
import { processorsOf } from '../../runtime/processors.js'
import type { CliContext } from '../context.js'
import { printJson } from '../json.js'
import { readHandlers } from '../status/read-handlers.js'
import { underwayIn } from '../streams/underway.js'
import { chosen } from './pause-command.js'
import { schedulesNamed } from './pause-schedules.js'
import { edgesNamed, handlersNamed, pauseHandler } from './pause-handlers.js'

export interface ResumeFlags {
  readonly all?: boolean
  readonly group: string
}

/**
 * Lets processors go on. With `--all`, also those that are paused and no longer declared.
 * @throws USAGE, DECLARATION_UNKNOWN, OWNERSHIP_NAME_INVALID; what reading the declarations throws, errors of the broker
 */
export async function resumeCommand(context: CliContext, name: string | undefined, flags: ResumeFlags): Promise<void> {
  const { clock, out, err, json } = context
  const { group } = flags
  const deployment = await context.deployment()
  const handlers = handlersNamed(deployment.handlers, name, flags.all)
  const beside = [
    ...schedulesNamed(deployment.schedules, name, flags.all),
    ...edgesNamed(deployment.edges, name, flags.all),
  ]
  const processors = chosen(processorsOf(deployment), name, flags.all, handlers.length + beside.length > 0)
  const connection = await context.connect()
  const paused = await readPaused(connection, clock, group)
  const own = flags.all === true ? [...paused.keys()] : [...processors.map(processorId), ...beside]
  for (const id of own) await resume(connection, group, id)
  const were = new Set(paused.keys())
  for (const { handler } of (await readHandlers(connection, clock, handlers)).filter((one) => one.paused))
    were.add(`handler-${handler}`)
  for (const handler of handlers)
    if (were.has(handlerId(handler))) await pauseHandler(connection, clock, handler, false)
  const ids = [...own, ...handlers.map(handlerId).filter((id) => flags.all !== true || were.has(id))]
  const resumed = ids.filter((id) => were.has(id))
  if (json) return printJson(context, { resumed })
  for (const id of ids)
    out.line(`${id}  ${were.has(id) ? out.style('green', 'resumed') : out.style('gray', 'was not paused')}`)
  if (ids.length === 0) out.line('nothing is paused')
  for (const { stream, from, to } of await underwayIn(connection, deployment))
    err.line(
      `${stream} goes from ${from} to ${to} partitions: what reads it goes on when that is finished: ` +
        `millrace streams repartition ${stream} --to ${to}`,
    )
}
