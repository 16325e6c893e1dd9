import type { CliContext } from '../context.js'
import { printJson, printJsonLine } from '../json.js'
import { GROUP } from '../pause/group.js'
import { printStatus, statusJson } from './print-status.js'
import { printPaused, printStopped, printWhoRuns, whoRunsJson } from './print-who-runs.js'
import { readStatus } from './read-status.js'
import { readWhoRuns } from './read-who-runs.js'

export interface StatusFlags {
  /** Shows who has which unit. */
  readonly units?: boolean
  readonly group?: string
}

/**
 * Shows how far everything is, once or, with `watchMs`, again and again until it is stopped.
 * @throws what connecting, reading the declarations and reading streams throw
 */
export async function statusCommand(
  context: CliContext,
  watchMs: number | undefined,
  { units = false, group = GROUP }: StatusFlags = {},
): Promise<void> {
  const { clock, out, json, signal } = context
  const deployment = await context.deployment()
  const connection = await context.connect()
  if (watchMs !== undefined) context.stopIsNormal()
  for (;;) {
    const status = await readStatus(connection, clock, deployment)
    const who = await readWhoRuns(connection, clock, deployment, { group, status })
    if (json) {
      const print = watchMs === undefined ? printJson : printJsonLine
      print(context, { ...statusJson(status, clock.now()), ...whoRunsJson(who, units) })
    } else {
      if (watchMs !== undefined && out.isTty) out.write('\u001b[2J\u001b[H')
      if (units) printWhoRuns(out, who)
      else {
        printStatus(out, status, clock.now())
        printStopped(out, who)
        printPaused(out, who)
      }
    }
    if (watchMs === undefined) return
    await clock.sleep(watchMs, signal).catch((error: unknown) => {
      if (!signal.aborted) throw error
    })
    if (signal.aborted) return
  }
}
