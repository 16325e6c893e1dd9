import { fault } from '../../../error/millrace-error.js'
import { readRuleText } from '../../../runtime/discover.js'
import { revisionsOf } from '../../../runtime/rules/rule-store.js'
import type { CliContext } from '../../context.js'
import { printJson } from '../../json.js'
import { ruleTextBy } from '../rule-text.js'
import { deployedNamed, deployedRules, type Deployed, type DeployedRules } from './deployed-rules.js'
import { lineDiff } from './line-diff.js'

interface Side {
  readonly name: string
  readonly text: string
}

/**
 * Shows how two texts of a rule differ: two revisions, or what is deployed and a file (by default the one in `streams/`).
 * @throws RULE_UNKNOWN, USAGE, INPUT_UNREADABLE, and errors of the broker
 */
export async function diffCommand(
  context: CliContext,
  name: string,
  file: string | undefined,
  revisions: readonly number[],
): Promise<void> {
  if (revisions.length > 2 || (file !== undefined && revisions.length > 1))
    throw fault('USAGE', 'name two revisions, or one and a file')
  const rules = await deployedRules(context)
  const found = deployedNamed(rules, name)
  const [first = found.now.revision, second] = revisions
  const from = revision(found, first)
  const to = second === undefined ? await fileSide(rules, found, file) : revision(found, second)
  const lines = lineDiff(from.text, to.text)
  const differs = lines.some(({ kind }) => kind !== 'same')
  if (context.json) return printJson(context, { rule: found.name, from: from.name, to: to.name, differs, lines })
  const { out } = context
  if (!differs) return out.line(`${from.name} and ${to.name} are the same`)
  out.line(out.style('bold', `--- ${from.name}`))
  out.line(out.style('bold', `+++ ${to.name}`))
  for (const { kind, text } of lines)
    if (kind === 'same') out.line(` ${text}`)
    else out.line(kind === 'added' ? out.style('green', `+${text}`) : out.style('red', `-${text}`))
}

function revision(found: Deployed, wanted: number): Side {
  const revisions = revisionsOf(found)
  const text = revisions.find(({ rule }) => rule.revision === wanted)?.rule.text
  if (text !== undefined) return { name: `revision ${wanted}`, text }
  const kept = revisions.map(({ rule }) => rule.revision).join(', ')
  throw fault('RULE_UNKNOWN', `${found.name}, revision ${wanted}; there are: ${kept}`)
}

/** A file may have mistakes: that is what one may want to see. */
async function fileSide({ deployment }: DeployedRules, { name }: Deployed, file: string | undefined): Promise<Side> {
  if (file !== undefined) return { name: file, text: await readRuleText(file) }
  const found = await ruleTextBy(name, deployment)
  return { name: found.file, text: found.text }
}
