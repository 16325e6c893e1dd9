import type { Connection } from '../../broker/connection.js'
import { isFault } from '../../error/millrace-error.js'
import type { Deployment } from '../../runtime/deployment.js'
import type { CliContext } from '../context.js'
import { readStatus, type Status } from '../status/read-status.js'
import { count, counted } from '../table.js'

const EVERY_MS = 1_000

/**
 * Shows one line, once a second, until the command is asked to stop: what came in, what went out, what failed, lag.
 * @param show takes the text of the line
 */
export async function liveStatus(
  { clock, signal }: CliContext,
  connection: Connection,
  deployment: Deployment,
  show: (text: string) => void,
): Promise<void> {
  let before: { readonly events: number; readonly at: number } | undefined
  while (!signal.aborted) {
    const at = clock.monotonic()
    try {
      const status = await readStatus(connection, clock, deployment)
      const { events, outputs, lag } = totals(status)
      const speed = before === undefined ? 0 : Math.round(((events - before.events) * 1_000) / (at - before.at))
      before = { events, at }
      if (!signal.aborted)
        show(
          `${counted(events, 'event')} in  ${count(speed)}/s  ${counted(outputs, 'output')}  ` +
            `${counted(status.deadLetters, 'dead letter')}  lag ${count(lag)}`,
        )
    } catch (error) {
      if (!isFault(error)) throw error
      show(`no answer from NATS: ${error.code}`) // the line is for information; the runtime deals with the cause
    }
    await clock.sleep(EVERY_MS, signal).catch(() => undefined) // aborted: the loop ends
  }
}

function totals({ processors }: Status): { events: number; outputs: number; lag: number } {
  let events = 0
  let outputs = 0
  let lag = 0
  for (const processor of processors) {
    if (processor.kind === 'never-run') continue
    // these read every event of their stream once
    if (processor.processor.startsWith('contracts-')) events += processor.turns
    outputs += processor.outputs
    lag = Math.max(lag, processor.lag ?? 0)
  }
  return { events, outputs, lag }
}
