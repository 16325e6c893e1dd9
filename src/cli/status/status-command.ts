import type { CliContext } from '../context.js'
import { printJson, printJsonLine } from '../json.js'
import { printStatus, statusJson } from './print-status.js'
import { readStatus } from './read-status.js'

/**
 * Shows how far everything is, once or, with `watchMs`, again and again until it is stopped.
 * @throws what connecting, reading the declarations and reading streams throw
 */
export async function statusCommand(context: CliContext, watchMs: number | undefined): Promise<void> {
  const { clock, out, json, signal } = context
  const deployment = await context.deployment()
  const connection = await context.connect()
  if (watchMs !== undefined) context.stopIsNormal()
  for (;;) {
    const status = await readStatus(connection, clock, deployment)
    if (json) (watchMs === undefined ? printJson : printJsonLine)(context, statusJson(status, clock.now()))
    else {
      if (watchMs !== undefined && out.isTty) out.write('\u001b[2J\u001b[H')
      printStatus(out, status, clock.now())
    }
    if (watchMs === undefined) return
    await clock.sleep(watchMs, signal).catch((error: unknown) => {
      if (!signal.aborted) throw error
    })
    if (signal.aborted) return
  }
}
