import { formatTime } from '../../../event/rfc3339.js'
import type { RulesReport } from '../../../pipeline/rules/rules-report.js'
import { discover } from '../../../runtime/discover.js'
import { driftText, planRules, type RuleDrift } from '../../../runtime/rules/plan-rules.js'
import { declaredRules } from '../../../runtime/rules/reconcile-rules.js'
import { isFault } from '../../../error/millrace-error.js'
import { formatDuration } from '../../../time/duration.js'
import type { CliContext } from '../../context.js'
import { printJson } from '../../json.js'
import { count, printTable, type Column } from '../../table.js'
import { reportBetween } from './at-work.js'
import { deployedRules, type DeployedRules } from './deployed-rules.js'

interface Row {
  readonly rule: string
  readonly stream: string
  readonly to: string
  /** As it is to be. */
  readonly state: 'at-work' | 'paused'
  readonly revision: number
  /** What runs: undefined when no process has taken it up. */
  readonly work:
    | {
        readonly revision: number | null
        readonly state: string
        readonly since: number
        readonly emitted: number
        readonly begun: number
        readonly problem: string | null
      }
    | undefined
  readonly by: string
  readonly at: number
  readonly origin: string
  readonly drift: string | null
}

/** Shows every deployed rule: as it is to be, as it runs, since when. @throws errors of the broker and of reading declarations */
export async function listCommand(context: CliContext): Promise<void> {
  const rules = await deployedRules(context)
  const drift = await driftOf(context, rules)
  const reports = new Map<string, RulesReport | undefined>()
  const rows: Row[] = []
  for (const { name, now } of rules.known) {
    if (now === undefined) continue
    const pair = `${now.on} ${now.to}`
    if (!reports.has(pair)) reports.set(pair, await reportBetween(rules, now.on, now.to))
    const work = reports.get(pair)?.rules.find(({ rule }) => rule === name)
    const { on, to, revision, by, at, origin } = now
    rows.push({
      rule: name,
      stream: on,
      to,
      state: now.paused ? 'paused' : 'at-work',
      revision,
      work: work && {
        revision: work.revision,
        state: work.state,
        since: work.since,
        emitted: work.emitted,
        begun: work.partialMatches,
        problem: work.problem,
      },
      by,
      at,
      origin,
      drift: drift.get(name) ?? null,
    })
  }
  if (context.json)
    return printJson(context, {
      rules: rows.map((row) => ({ ...row, work: row.work ?? null, at: formatTime(row.at) })),
    })
  const { out, clock } = context
  if (rows.length === 0) return out.line('no rule is deployed: millrace rules deploy FILE, or start millrace run')
  printTable(out, columns(clock.now()), rows)
  for (const { rule, drift: differs, work } of rows) {
    if (differs !== null) out.line(out.style('yellow', `${rule}: ${differs}`))
    if (work?.problem != null) out.line(out.style('red', `${rule}: ${work.problem}`))
  }
}

/** Where a rule differs from its file; nothing is said of files that cannot be read. */
async function driftOf({ options, clock, err }: CliContext, { known }: DeployedRules): Promise<Map<string, string>> {
  try {
    const deployment = await discover(options.streams)
    const streams = new Set(deployment.streams.map(({ name }) => name))
    const { drift, puts } = planRules(declaredRules(deployment), known, { streams, by: '', at: clock.now() })
    const changed = puts
      .filter(({ isNew }) => isNew)
      .map(({ name }) => [name, 'its file has changed: deploy it'] as const)
    return new Map([...drift.map((one: RuleDrift) => [one.rule, driftText(one)] as const), ...changed])
  } catch (error) {
    if (!isFault(error, 'RULE_INVALID')) throw error
    err.line(`files are not compared: ${error.detail}`)
    return new Map()
  }
}

function columns(now: number): readonly Column<Row>[] {
  return [
    { title: 'RULE', value: ({ rule }) => rule },
    { title: 'STREAM', value: ({ stream, to }) => (stream === to ? stream : `${stream} → ${to}`) },
    { title: 'STATE', value: ({ state }) => state },
    { title: 'REVISION', align: 'right', value: ({ revision }) => String(revision) },
    { title: 'RUNS', align: 'right', value: ({ work }) => runs(work) },
    { title: 'SINCE SEQ', align: 'right', value: ({ work }) => (work === undefined ? '' : String(work.since)) },
    { title: 'EMITTED', align: 'right', value: ({ work }) => (work === undefined ? '' : count(work.emitted)) },
    { title: 'BEGUN', align: 'right', value: ({ work }) => (work === undefined ? '' : count(work.begun)) },
    { title: 'CHANGED', value: ({ at }) => `${formatDuration(Math.max(0, now - at))} ago` },
    { title: 'BY', value: ({ by, origin }) => `${by} (${origin})` },
  ]
}

function runs(work: Row['work']): string {
  if (work === undefined) return 'not yet'
  return work.state === 'at-work' ? String(work.revision ?? 'code') : work.state
}
