import { isFault } from '../../error/millrace-error.js'
import type { Rule } from '../../cep/rule/rule.js'
import type { RuleReport } from '../../pipeline/rules/rules-report.js'
import type { StoredRule } from '../../pipeline/rules/stored-rule.js'
import { RuleStore } from '../../runtime/rules/rule-store.js'
import type { CliContext } from '../context.js'
import { orStopped } from '../or-stopped.js'
import { reportBetween } from '../rules/live/at-work.js'
import type { RuleText } from '../rules/rule-text.js'
import { count } from '../table.js'

/** A rule as it is deployed, and as it runs; undefined where it is not, or nothing has said so. */
export interface DeployedState {
  readonly now: StoredRule | undefined
  readonly work: RuleReport | undefined
}

/** @throws errors of the broker */
export async function deployedState(context: CliContext, { name, on, to }: Rule): Promise<DeployedState> {
  const { signal, clock } = context
  const connection = await orStopped(context.connect(), signal)
  const known = await orStopped(new RuleStore(connection, clock).read(), signal)
  const now = known.find((one) => one.name === name && one.on === on)?.now
  try {
    const report = await orStopped(reportBetween({ connection }, on, now?.to ?? to), signal)
    return { now, work: report?.rules.find(({ rule }) => rule === name) }
  } catch (error) {
    if (!isFault(error, 'STREAM_NOT_FOUND')) throw error
    return { now, work: undefined }
  }
}

/** Which text is taken, where a file and a deployed revision differ. */
export function driftNote({ rule, file, text }: RuleText, { now }: DeployedState): string | undefined {
  if (now === undefined || now.text === text || file.includes('@')) return undefined
  return `the text is that of ${file}; deployed is revision ${now.revision} of ${rule.name}, which differs: --deployed takes that`
}

/**
 * Why the live rule need not have found what a backtest finds.
 * @param first sequence of the range
 */
export function liveNotes({ rule, file, text }: RuleText, { now, work }: DeployedState, first: number): string[] {
  const { name } = rule
  if (work === undefined)
    return [
      now === undefined
        ? `${name} is not deployed, and has said nothing of itself`
        : `no process has taken ${name} up yet`,
    ]
  const notes: string[] = []
  const since = count(work.since)
  if (work.state === 'paused') notes.push(`${name} is paused: it has seen nothing after sequence ${since}`)
  if (work.state === 'broken') notes.push(`${name} is broken and sees nothing: ${work.problem ?? ''}`)
  if (work.state === 'at-work' && work.since >= first)
    notes.push(
      `${name} is as it is since sequence ${since} only: what was found before was found otherwise, or not at all`,
    )
  if (now !== undefined && now.text !== text)
    notes.push(`live is revision ${work.revision ?? now.revision}, whose text is not that of ${file}`)
  return notes
}
