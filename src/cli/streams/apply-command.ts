import { applyStreams } from '../../broker/apply-streams.js'
import { planStreams } from '../../broker/plan-streams.js'
import { isFault } from '../../error/millrace-error.js'
import type { CliContext } from '../context.js'
import { printJson } from '../json.js'
import { planJson, printPlan } from './print-plan.js'

/**
 * Makes the deployed streams as they are declared. Repeating it is safe.
 * @throws STREAM_CHANGE_REFUSED (nothing was changed), STREAM_FLAGS_DROPPED and errors of the broker
 */
export async function applyCommand(context: CliContext): Promise<void> {
  const deployment = await context.deployment({ rules: false })
  const connection = await context.connect()
  const steps = await planStreams(connection, deployment.streams)
  try {
    await applyStreams(connection, steps)
  } catch (error) {
    if (isFault(error, 'STREAM_CHANGE_REFUSED') && !context.json) printPlan(context.err, steps, 'refused')
    throw error
  }
  if (context.json) printJson(context, { steps: planJson(steps) })
  else printPlan(context.out, steps, 'applied')
}
