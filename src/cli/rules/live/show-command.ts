import { formatTime } from '../../../event/rfc3339.js'
import { fault } from '../../../error/millrace-error.js'
import { revisionsOf } from '../../../runtime/rules/rule-store.js'
import type { CliContext } from '../../context.js'
import { printJson } from '../../json.js'
import { printTable } from '../../table.js'
import { reportBetween } from './at-work.js'
import { deployedNamed, deployedRules } from './deployed-rules.js'

/** Shows a rule: its text, how it runs, its revisions. @throws RULE_UNKNOWN, and errors of the broker */
export async function showCommand(
  context: CliContext,
  name: string,
  { revision }: { readonly revision?: number },
): Promise<void> {
  const rules = await deployedRules(context)
  const found = deployedNamed(rules, name)
  const revisions = revisionsOf(found)
  const wanted = revision === undefined ? found.now : revisions.find(({ rule }) => rule.revision === revision)?.rule
  if (wanted === undefined) {
    const kept = revisions.map(({ rule }) => rule.revision).join(', ')
    throw fault('RULE_UNKNOWN', `${found.name}, revision ${revision}; there are: ${kept}`)
  }
  const report = await reportBetween(rules, found.now.on, found.now.to)
  const work = report?.rules.find(({ rule }) => rule === found.name) ?? null
  if (context.json)
    return printJson(context, {
      rule: found.name,
      ...wanted,
      at: formatTime(wanted.at),
      work,
      revisions: revisions.map(({ rule: { text: _text, ...rule } }) => ({ ...rule, at: formatTime(rule.at) })),
    })
  const { out } = context
  out.line(wanted.text.trimEnd())
  out.line()
  printTable(
    out,
    [
      { title: 'REVISION', align: 'right', value: ({ rule }) => String(rule.revision) },
      { title: 'DEPLOYED', value: ({ rule }) => formatTime(rule.at) },
      { title: 'BY', value: ({ rule }) => rule.by },
      { title: 'FROM', value: ({ rule }) => (rule.again === null ? rule.origin : `${rule.origin} to ${rule.again}`) },
      { title: 'ON CHANGE', value: ({ rule }) => rule.onChange },
      { title: '', value: ({ rule }) => (rule.revision === found.now.revision ? stateOf(found.now.paused, work) : '') },
    ],
    revisions,
  )
}

function stateOf(paused: boolean, work: { readonly since: number; readonly state: string } | null): string {
  if (work === null) return paused ? 'paused' : 'not taken up yet'
  return `${work.state} since sequence ${work.since}`
}
