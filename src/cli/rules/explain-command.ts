import { fault } from '../../error/millrace-error.js'
import { explainKey } from '../../replay/explain/explain-key.js'
import { explanationReport } from '../../replay/explain/explanation-report.js'
import { rangeOf, type RangeFlags } from '../backtest/range-flags.js'
import type { CliContext } from '../context.js'
import { printJson } from '../json.js'
import { orStopped, settled } from '../or-stopped.js'
import { createProgress } from '../progress.js'
import { printExplanation } from './print-explanation.js'
import { ruleVersionBy } from './rule-version-by.js'

/** The options of `millrace rules explain`, as commander reads them. */
export interface ExplainFlags extends RangeFlags {
  readonly key: string
  readonly stream?: string
  /** Most of each kind that are printed. */
  readonly show: number
}

/**
 * Says what is under way for a key, and of a range what came to nothing and why.
 * @throws USAGE, RULE_INVALID, DECLARATION_UNKNOWN, EXPLAIN_UNABLE, REPLAY_RANGE_INVALID, STREAM_NOT_FOUND and errors of
 *   the broker
 */
export async function explainCommand(context: CliContext, given: string, flags: ExplainFlags): Promise<void> {
  const { clock, signal, json } = context
  if (flags.key === '') throw fault('USAGE', '--key is empty')
  const asked = rangeOf(flags, clock.now())
  const deployment = await context.deployment({ rules: false })
  const { rule, text } = await ruleVersionBy(context, given, deployment)
  const connection = await orStopped(context.connect(), signal)
  const progress = createProgress(context, { label: `explaining ${rule.name}`, unit: 'events' })
  try {
    const running = explainKey({
      connection,
      clock,
      signal,
      registry: deployment.registry,
      stream: flags.stream ?? rule.on,
      rule,
      text,
      key: flags.key,
      ...asked,
      onProgress: ({ events, messages, of }) => progress.update(events, of === 0 ? 1 : messages / of),
    })
    const report = explanationReport(await settled(context, running))
    progress.end()
    if (json) printJson(context, report)
    else printExplanation(context.out, report, { show: flags.show, isRange: asked !== undefined })
    signal.throwIfAborted()
  } finally {
    progress.end()
  }
}
