import { fault, isFault } from '../../error/millrace-error.js'
import { processorSource } from '../../kernel/processor.js'
import { ruleProcessor } from '../../pipeline/rule-processor.js'
import type { Against } from '../../replay/backtest/backtest-result.js'
import { parseLabel } from '../../replay/backtest/label.js'
import type { ScoreOptions } from '../../replay/backtest/score.js'
import type { Rule } from '../../cep/rule/rule.js'
import { streamNamed, type Deployment } from '../../runtime/deployment.js'
import type { CliContext } from '../context.js'
import { deployedText, ruleVersionBy } from '../rules/rule-version-by.js'
import type { RuleText } from '../rules/rule-text.js'
import type { BacktestFlags } from './backtest-flags.js'
import { deployedState, type DeployedState } from './deployed-state.js'

/** What a backtest is run with. */
export interface BacktestJob extends RuleText {
  readonly stream: string
  readonly against: Against | undefined
  /** What it is compared with, for people. */
  readonly withName: string
  /** Text of the rule that it is compared with. */
  readonly againstText: string | undefined
  readonly score: ScoreOptions | undefined
  /** How the rule of this name is deployed. */
  readonly state: DeployedState
}

/** @throws DECLARATION_UNKNOWN, RULE_INVALID, LABEL_INVALID, USAGE, INPUT_UNREADABLE */
export async function backtestJob(
  context: CliContext,
  given: string,
  flags: BacktestFlags,
  deployment: Deployment,
): Promise<BacktestJob> {
  const found = await wantedText(context, given, flags, deployment)
  const { rule } = found
  const stream = flags.stream ?? rule.on
  const compared = await againstOf(flags.against, { context, rule, stream, deployment })
  const state = await deployedState(context, rule)
  return { ...found, stream, ...compared, state, score: scoreOf(flags, rule, deployment) }
}

/** A name is that of a file in `streams/`, where there is one; else of what is deployed. */
async function wantedText(
  context: CliContext,
  given: string,
  { deployed, revision }: BacktestFlags,
  deployment: Deployment,
): Promise<RuleText> {
  if (deployed === true || revision !== undefined) {
    if (/[./\\@]/.test(given)) throw fault('USAGE', `${given}: --deployed and --revision go with the name of a rule`)
    return deployedText(context, deployment, given, revision)
  }
  try {
    return await ruleVersionBy(context, given, deployment)
  } catch (error) {
    if (!isFault(error, 'DECLARATION_UNKNOWN') || /[./\\@]/.test(given)) throw error
    const found = await deployedText(context, deployment, given).catch(() => undefined)
    if (found === undefined) throw error // neither in a file nor deployed: the first says which rules there are
    return found
  }
}

interface Chosen {
  readonly context: CliContext
  readonly rule: Rule
  readonly stream: string
  readonly deployment: Deployment
}

async function againstOf(
  given: string | undefined,
  chosen: Chosen,
): Promise<Pick<BacktestJob, 'against' | 'withName' | 'againstText'>> {
  if (given === undefined) return { against: undefined, withName: '', againstText: undefined }
  if (given.toUpperCase() === 'LIVE')
    return { against: liveOf(chosen), withName: `what ${chosen.rule.name} emitted live`, againstText: undefined }
  const { rule, file, text } = await ruleVersionBy(chosen.context, given, chosen.deployment, chosen.rule)
  if (rule.on !== chosen.rule.on)
    throw fault('USAGE', `${file} reads ${rule.on}, and ${chosen.rule.name} ${chosen.rule.on}`)
  return { against: { kind: 'rule', rule }, withName: file, againstText: text }
}

function liveOf({ rule, stream, deployment }: Chosen): Against {
  if (stream !== rule.on) throw fault('USAGE', `${rule.name} is live on ${rule.on}, not on ${stream}`)
  const streams = { from: streamNamed(deployment, rule.on), to: streamNamed(deployment, rule.to) }
  const processor = ruleProcessor(rule, deployment.registry, streams)
  const place = { rule: rule.name, processor, source: processorSource(processor), types: rule.outputTypes }
  return { kind: 'live', place }
}

function scoreOf(flags: BacktestFlags, { eventTypes }: Rule, { registry }: Deployment): ScoreOptions | undefined {
  const { label, labelBy, labelWithin } = flags
  if (label === undefined) return undefined
  return {
    label: parseLabel(label, registry, eventTypes),
    ...(labelBy === undefined ? {} : { by: labelBy }),
    ...(labelWithin === undefined ? {} : { within: labelWithin }),
  }
}
