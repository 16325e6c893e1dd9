import { leftoverMerges } from '../../broker/leftover-merges.js'
import { planStreams, type PlanStep } from '../../broker/plan-streams.js'
import { EXIT } from '../../error/exit-code.js'
import { strandedOutboxes } from '../../runtime/stranded-outboxes.js'
import type { CliContext } from '../context.js'
import { printJson } from '../json.js'
import { planJson, printLeftovers, printPlan, printStranded } from './print-plan.js'

/**
 * Shows what `apply` would do, exit code 5 when that is anything, and what pipelines and actors
 * that are no more, or send elsewhere now, have left behind.
 * @throws what connecting, reading the declarations and reading streams throw
 */
export async function planCommand(context: CliContext): Promise<void> {
  const deployment = await context.deployment({ rules: false })
  const connection = await context.connect()
  const steps = await planStreams(connection, deployment.streams)
  const leftovers = await leftoverMerges(connection, deployment.streams)
  const stranded = await strandedOutboxes(connection, deployment)
  if (context.json) printJson(context, { steps: planJson(steps), changes: changesIn(steps), leftovers, stranded })
  else {
    printPlan(context.out, steps, 'plan')
    printLeftovers(context.out, leftovers)
    printStranded(context.out, stranded)
  }
  if (changesIn(steps) > 0) context.exitWith(EXIT.check)
}

function changesIn(steps: readonly PlanStep[]): number {
  return steps.filter(({ kind }) => kind !== 'unchanged').length
}
