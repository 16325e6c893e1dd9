import { EXIT } from '../../error/exit-code.js'
import { fault } from '../../error/millrace-error.js'
import { pause } from '../../kernel/ownership/pause.js'
import { readOwnership, type UnitStatus } from '../../kernel/ownership/read-ownership.js'
import { partitionsOf, processorId, unitId, type Processor } from '../../kernel/processor.js'
import { processorsOf } from '../../runtime/processors.js'
import type { CliContext } from '../context.js'
import { printJson } from '../json.js'
import { processorNamed } from '../parked/parked-keys.js'
import { counted } from '../table.js'

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
 * time; they are paused all the same.
 * @throws USAGE, DECLARATION_UNKNOWN, OWNERSHIP_NAME_INVALID; what reading the declarations throws, errors of the broker
 */
export async function pauseCommand(context: CliContext, name: string | undefined, flags: PauseFlags): Promise<void> {
  const { clock, out, err, json, signal } = context
  const { group, reason, wait } = flags
  const deployment = await context.deployment()
  const processors = chosen(processorsOf(deployment), name, flags.all)
  const connection = await context.connect()
  const replicas = Math.max(1, ...deployment.streams.map((stream) => stream.replicas))
  for (const processor of processors)
    await pause(connection, group, processorId(processor), { replicas, ...(reason === undefined ? {} : { reason }) })
  const ids = processors.map(processorId)
  if (!json) for (const id of ids) out.line(`${id}  ${out.style('yellow', 'paused')}`)
  const units = new Set(
    processors.flatMap((processor) => partitionsOf(processor).map((partition) => unitId(processor, partition))),
  )
  let held: readonly UnitStatus[] = []
  for (const until = clock.monotonic() + (wait === false ? -1 : wait); clock.monotonic() < until;) {
    held = (await readOwnership(connection, clock, group)).units.filter(({ id, alive }) => alive && units.has(id))
    if (held.length === 0) break
    await clock.sleep(LOOK_MS, signal)
  }
  const running = held.map(({ id, owner }) => ({ unit: id, owner }))
  if (json) printJson(context, { paused: ids, reason: reason ?? null, running })
  if (held.length === 0) return
  if (!json)
    err.line(`${counted(held.length, 'unit')} not given back yet: ${running.map(({ unit }) => unit).join(', ')}`)
  context.exitWith(EXIT.check)
}

/** @throws USAGE, DECLARATION_UNKNOWN */
export function chosen(
  processors: readonly Processor[],
  name: string | undefined,
  all: boolean | undefined,
): readonly Processor[] {
  if ((name === undefined) === (all !== true)) throw fault('USAGE', 'name a processor, or say --all')
  return name === undefined ? processors : [processorNamed(processors, name)]
}
