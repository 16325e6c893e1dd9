import { readLast } from '../../../broker/last-message.js'
import { reportSubject } from '../../../broker/system-subject.js'
import { isFault } from '../../../error/millrace-error.js'
import { WHOLE } from '../../../kernel/processor.js'
import { decodeReport } from '../../../kernel/report.js'
import { rulesProcessorId } from '../../../pipeline/rules-processor.js'
import type { RuleReport, RulesReport } from '../../../pipeline/rules/rules-report.js'
import type { CliContext } from '../../context.js'
import type { DeployedRules } from './deployed-rules.js'

const LOOK_MS = 100

/** What the processor of the rules from one stream to another has said of them last. @throws errors of the broker */
export async function reportBetween(
  { connection }: Pick<DeployedRules, 'connection'>,
  from: string,
  to: string,
): Promise<RulesReport | undefined> {
  const subject = reportSubject(to, rulesProcessorId(from, to), WHOLE)
  try {
    const last = await readLast(connection, to, subject)
    return last === undefined ? undefined : (decodeReport(last.data, subject) as RulesReport)
  } catch (error) {
    if (isFault(error, 'STREAM_NOT_FOUND')) return undefined
    throw error
  }
}

/** What a change has come to. */
export type Taken =
  | { readonly kind: 'taken'; readonly rule: RuleReport | undefined; readonly report: RulesReport }
  /** No process runs the rules, or it is busy. */
  | { readonly kind: 'waiting' }

/** Waits until a change of the bucket has reached the processor. @param waitMs 0: does not wait */
export async function untilTaken(
  { clock, signal }: CliContext,
  rules: DeployedRules,
  change: { readonly name: string; readonly on: string; readonly to: string; readonly sequence: number },
  waitMs: number,
): Promise<Taken> {
  const until = clock.monotonic() + waitMs
  for (;;) {
    const report = await reportBetween(rules, change.on, change.to)
    if (report !== undefined && report.upTo >= change.sequence)
      return { kind: 'taken', rule: report.rules.find(({ rule }) => rule === change.name), report }
    if (clock.monotonic() >= until) return { kind: 'waiting' }
    await clock.sleep(LOOK_MS, signal)
  }
}

/** A line for a person. */
export function takenText(taken: Taken): string {
  if (taken.kind === 'waiting') return 'stored; no process has taken it up yet: millrace rules list shows when one has'
  const { rule } = taken
  if (rule === undefined) return `after sequence ${taken.report.sequence} at the latest`
  if (rule.problem !== null) return `not taken: ${rule.problem}`
  return `${rule.state} since sequence ${rule.since}`
}

/** The same for machines. */
export function takenJson(taken: Taken): object {
  if (taken.kind === 'waiting') return { taken: false }
  const { rule } = taken
  return {
    taken: true,
    state: rule?.state ?? null,
    since: rule?.since ?? taken.report.sequence,
    problem: rule?.problem ?? null,
  }
}
