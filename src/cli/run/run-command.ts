import { applyStreams } from '../../broker/apply-streams.js'
import { planStreams } from '../../broker/plan-streams.js'
import type { CliContext } from '../context.js'
import { serve } from './serve.js'
import { serviceLog } from './service-log.js'
import { stuckAfterOf } from './stuck-after.js'
import { connectWhenThere } from './when-there.js'

export interface RunOptions {
  readonly only?: readonly string[]
  readonly apply?: boolean
  readonly readyFile?: string
  /** A span such as 30s, or `never`. */
  readonly stuckAfter: string
}

/**
 * Runs the deployment against a server until it is stopped; waits for a server that is not there yet.
 * @throws STREAM_DRIFT unless `apply` brings the streams up to date, and what serve throws
 */
export async function runCommand(context: CliContext, options: RunOptions): Promise<void> {
  context.stopIsNormal()
  const stuckAfter = stuckAfterOf(options.stuckAfter)
  const deployment = await context.deployment()
  const log = await serviceLog(context)
  const connection = await connectWhenThere(context, log)
  if (options.apply === true) {
    const plan = await planStreams(connection, deployment.streams)
    await applyStreams(connection, plan)
    for (const { kind, stream } of plan) if (kind !== 'unchanged') log.info({ stream }, `stream: ${kind}`)
  }
  const { only, readyFile } = options
  await serve(context, {
    connection,
    deployment,
    log,
    only,
    readyFile,
    stuckAfter,
  })
}
