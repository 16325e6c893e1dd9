import { compareRules, type RuleComparison } from '../../cep/rule/compare-rules.js'
import { withContext, type DifferentLine } from '../../cep/rule/line-difference.js'
import { fault } from '../../error/millrace-error.js'
import { backtest } from '../../replay/backtest/backtest.js'
import { backtestReport, type BacktestReport } from '../../replay/backtest/report.js'
import type { Deployment } from '../../runtime/deployment.js'
import { whyOnly } from '../backtest/why-only.js'
import { printDifference } from '../backtest/print-difference.js'
import { rangeOf, type AskedRange, type RangeFlags } from '../backtest/range-flags.js'
import type { CliContext } from '../context.js'
import { printJson } from '../json.js'
import { orStopped, settled } from '../or-stopped.js'
import type { Output } from '../output.js'
import { createProgress } from '../progress.js'
import { counted } from '../table.js'
import { deployedText, ruleVersionBy } from './rule-version-by.js'
import { ruleTextBy, type RuleText } from './rule-text.js'

/** The options of `millrace rules diff`, as commander reads them. */
export interface DiffFlags extends RangeFlags {
  readonly stream?: string
}

/** Lines that are shown around each change. */
const AROUND = 3

/**
 * Compares two versions of a rule: as texts, in what they mean, and over a range in what they find.
 * @param names the rule, and none, one or two versions of it
 * @throws USAGE, RULE_INVALID, DECLARATION_UNKNOWN, INPUT_UNREADABLE; with a range, what backtests throw
 */
export async function diffCommand(context: CliContext, names: readonly string[], flags: DiffFlags): Promise<void> {
  const asked = rangeOf(flags, context.clock.now())
  const deployment = await context.deployment({ rules: false })
  const { before, after } = await versionsOf(context, names, deployment)
  const comparison = compareRules(before, after)
  const found = asked === undefined ? undefined : await matches(context, { before, after, asked, flags }, deployment)
  if (context.json)
    return printJson(context, {
      format: 1,
      before: { file: before.file, hash: before.rule.hash },
      after: { file: after.file, hash: after.rule.hash },
      ...comparison,
      why: comparison.why ?? null,
      matches: found ?? null,
    })
  printComparison(context.out, comparison, { before, after })
  if (found?.difference) printFound(context.out, found)
}

/** Without a version: what was deployed last, and the file. With one: the file, or what is there, and that. */
async function versionsOf(
  context: CliContext,
  [name = '', first, second]: readonly string[],
  deployment: Deployment,
): Promise<Versions> {
  if (first === undefined) {
    const after = await ruleTextBy(name, deployment)
    return { before: await deployedText(context, deployment, after.rule.name), after }
  }
  const version = (given: string): Promise<RuleText> => ruleVersionBy(context, given, deployment, { name })
  if (second !== undefined) return { before: await version(first), after: await version(second) }
  const there = await ruleVersionBy(context, name, deployment)
  const given = await ruleVersionBy(context, first, deployment, there.rule)
  // a revision came before the file; a file that is named is what it may become
  return /^\d+$|@\d+$/.test(first) ? { before: given, after: there } : { before: there, after: given }
}

interface Versions {
  readonly before: RuleText
  readonly after: RuleText
}

async function matches(
  context: CliContext,
  { before, after, asked, flags }: Versions & { readonly asked: AskedRange; readonly flags: DiffFlags },
  { registry }: Awaited<ReturnType<CliContext['deployment']>>,
): Promise<BacktestReport> {
  const { clock, signal } = context
  const { rule } = after
  if (rule.on !== before.rule.on)
    throw fault('USAGE', `${after.file} reads ${rule.on}, and ${before.file} ${before.rule.on}`)
  const connection = await orStopped(context.connect(), signal)
  const progress = createProgress(context, { label: 'comparing', unit: 'events' })
  try {
    const against = { kind: 'rule', rule: before.rule } as const
    const reading = { connection, clock, signal, registry, stream: flags.stream ?? rule.on }
    const onProgress = (done: { events: number; messages: number; of: number }): void =>
      progress.update(done.events, done.of === 0 ? 1 : done.messages / done.of)
    const result = await settled(context, backtest({ ...reading, ...asked, rule, against, keep: 0, onProgress }))
    const why = await settled(context, whyOnly(result, { here: after, there: before, reading }))
    return backtestReport(result, { ...after, against, withName: before.file, buckets: 120, why })
  } finally {
    progress.end()
  }
}

function printComparison(out: Output, comparison: RuleComparison, { before, after }: Versions): void {
  const { lines, isSame, fields, types, keepsState, why } = comparison
  out.line(out.style('red', `--- ${before.file}`))
  out.line(out.style('green', `+++ ${after.file}`))
  for (const line of withContext(lines, AROUND)) printLine(out, line)
  if (isSame) return out.line('the rule is the same; what differs, if anything, are comments and layout')
  for (const { name, before: was, after: is } of fields)
    out.line(was === null && is === null ? `${name} differs` : `${name}: ${was ?? 'not set'} -> ${is ?? 'not set'}`)
  if (types.gone.length > 0) out.line(`no longer reads ${types.gone.join(', ')}`)
  if (types.added.length > 0) out.line(`reads ${types.added.join(', ')} too`)
  out.line(keepsState ? 'what was begun can be kept' : `what was begun cannot be kept: ${why ?? ''}`)
}

function printLine(out: Output, line: DifferentLine | undefined): void {
  if (line === undefined) return out.line(out.style('gray', '  …'))
  if (line.kind === 'same') out.line(`  ${line.text}`)
  else if (line.kind === 'old') out.line(out.style('red', `- ${line.text}`))
  else out.line(out.style('green', `+ ${line.text}`))
}

function printFound(out: Output, { range, events, matches, difference }: BacktestReport): void {
  if (difference === null) return
  out.line(
    `over sequences ${range.first} to ${range.last}: ${counted(matches, 'match', 'matches')} in ${counted(events, 'event')}, before ${counted(difference.common + difference.otherwise + difference.onlyThere, 'match', 'matches')}`,
  )
  printDifference(out, difference)
}
