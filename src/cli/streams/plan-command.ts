import { planStreams, type PlanStep } from '../../broker/plan-streams.js'
import { EXIT } from '../../error/exit-code.js'
import type { CliContext } from '../context.js'
import { printJson } from '../json.js'
import { planJson, printPlan } from './print-plan.js'

/**
 * Shows what `apply` would do. Exit code 5 when that is anything.
 * @throws what connecting, reading the declarations and reading streams throw
 */
export async function planCommand(context: CliContext): Promise<void> {
  const deployment = await context.deployment({ rules: false })
  const connection = await context.connect()
  const steps = await planStreams(connection, deployment.streams)
  if (context.json) printJson(context, { steps: planJson(steps), changes: changesIn(steps) })
  else printPlan(context.out, steps, 'plan')
  if (changesIn(steps) > 0) context.exitWith(EXIT.check)
}

function changesIn(steps: readonly PlanStep[]): number {
  return steps.filter(({ kind }) => kind !== 'unchanged').length
}
