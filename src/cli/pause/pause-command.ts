import { EXIT } from '../../error/exit-code.js'
import { fault } from '../../error/millrace-error.js'
import { pause } from '../../kernel/ownership/pause.js'
import { readOwnership, type UnitStatus } from '../../kernel/ownership/read-ownership.js'
import { partitionsOf, processorId, unitId, type Processor } from '../../kernel/processor.js'
import { handlerId } from '../../runtime/deployed-handlers.js'
import { processorsOf } from '../../runtime/processors.js'
import type { CliContext } from '../context.js'
import { printJson } from '../json.js'
import { processorNamed } from '../parked/parked-keys.js'
import { counted } from '../table.js'
import { schedulesNamed } from './pause-schedules.js'
import { edgesNamed, handlersNamed, pauseHandler } from './pause-handlers.js'

export interface PauseFlags {
  readonly all?: boolean
  readonly reason?: string
  /** In ms; false: not at all. */
  readonly wait: number | false
  readonly group: string
}

const LOOK_MS = 250

/**
 * Has processors stand still, and waits until nobody runs them any more. Exit code 5 when somebody still does after that
 * time, and when something was named that cannot be paused yet; the others are paused all the same.
 * @throws USAGE, DECLARATION_UNKNOWN, OWNERSHIP_NAME_INVALID; what reading the declarations throws, errors of the broker
 */
export async function pauseCommand(context: CliContext, name: string | undefined, flags: PauseFlags): Promise<void> {
  const { clock, out, err, json, signal } = context
  const { group, reason, wait, all } = flags
  const deployment = await context.deployment()
  const handlers = handlersNamed(deployment.handlers, name, all)
  const beside = [...schedulesNamed(deployment.schedules, name, all), ...edgesNamed(deployment.edges, name, all)]
  const processors = chosen(processorsOf(deployment), name, all, handlers.length + beside.length > 0)
  const connection = await context.connect()
  const [known, part, unknown]: [string[], string[], string[]] = [[], [], []]
  for (const handler of handlers) {
    const unmade = await pauseHandler(connection, clock, handler, true)
    if (unmade !== 'all') known.push(handlerId(handler))
    if (unmade === 'part') part.push(handlerId(handler))
    if (unmade === 'all') unknown.push(handlerId(handler))
  }
  const replicas = Math.max(1, ...deployment.streams.map((stream) => stream.replicas))
  const units = new Set([
    ...processors.flatMap((one) => partitionsOf(one).map((partition) => unitId(one, partition))),
    ...beside,
  ])
  for (const id of [...processors.map(processorId), ...beside])
    await pause(connection, group, id, { replicas, ...(reason === undefined ? {} : { reason }) })
  const ids = [...processors.map(processorId), ...known, ...beside]
  if (!json) for (const id of ids) out.line(`${id}  ${out.style('yellow', 'paused')}`)
  // the server keeps the pause of a handler with its consumer, which the first process makes
  for (const id of unknown) err.line(`${id} has never run and cannot be paused: a process that starts will run it`)
  for (const id of part)
    err.line(`${id} has a part that has never run: a process that starts will run it. Pause it once more then`)
  let held: readonly UnitStatus[] = []
  for (const until = clock.monotonic() + (wait === false ? -1 : wait); clock.monotonic() < until;) {
    held = (await readOwnership(connection, clock, group)).units.filter(({ id, alive }) => alive && units.has(id))
    if (held.length === 0) break
    await clock.sleep(LOOK_MS, signal)
  }
  const running = held.map(({ id, owner }) => ({ unit: id, owner }))
  if (json) printJson(context, { paused: ids, reason: reason ?? null, running, neverRun: unknown })
  if (part.length > 0 || (unknown.length > 0 && all !== true)) context.exitWith(EXIT.check)
  if (held.length === 0) return
  if (!json)
    err.line(`${counted(held.length, 'unit')} not given back yet: ${running.map(({ unit }) => unit).join(', ')}`)
  context.exitWith(EXIT.check)
}

/** @param isKnown whether the name is that of something else too @throws USAGE, DECLARATION_UNKNOWN */
export function chosen(
  processors: readonly Processor[],
  name: string | undefined,
  all: boolean | undefined,
  isKnown = false,
): readonly Processor[] {
  if ((name === undefined) === (all !== true)) throw fault('USAGE', 'name a processor, or say --all')
  if (name === undefined) return processors
  return isKnown && !processors.some((one) => [processorId(one), one.name].includes(name))
    ? []
    : [processorNamed(processors, name)]
}
