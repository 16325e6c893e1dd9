import type { StoredMessage } from '../../broker/stored-message.js'
import { reportSubject } from '../../broker/system-subject.js'
import { processorId, WHOLE, type Processor } from '../../kernel/processor.js'
import { decodeReport } from '../../kernel/report.js'
import type { RuleReport, RulesReport } from '../../pipeline/rules/rules-report.js'
import type { Deployment } from '../../runtime/deployment.js'

/** How one rule is, as its processor has said with a commit. */
export type RuleStatus =
  | { readonly kind: 'never-run'; readonly rule: string; readonly processor: string }
  | (RuleReport & {
      readonly kind: 'run'
      readonly processor: string
      /** A former revision goes on with what it has begun. */
      readonly draining: readonly number[]
    })

/** Every rule that works or is declared. @param reports by subject. @throws SNAPSHOT_INVALID */
export function rulesStatus(
  { rules }: Pick<Deployment, 'rules'>,
  processors: readonly Processor[],
  reports: ReadonlyMap<string, StoredMessage>,
): RuleStatus[] {
  return processors.flatMap((processor): RuleStatus[] => {
    if (processor.kind !== 'rules') return []
    const id = processorId(processor)
    const report = reportOf(processor, reports)
    const known = new Set(report?.rules.map(({ rule }) => rule))
    const declared = rules.filter(
      ({ rule }) => rule.on === processor.from.stream.name && rule.to === processor.to.stream.name,
    )
    return [
      ...(report?.rules ?? []).map((rule): RuleStatus => {
        const draining = report?.draining.filter((one) => one.rule === rule.rule).map(({ revision }) => revision) ?? []
        return { ...rule, kind: 'run', processor: id, draining }
      }),
      ...declared
        .filter(({ rule }) => !known.has(rule.name))
        .map(({ rule }): RuleStatus => ({ kind: 'never-run', rule: rule.name, processor: id })),
    ].sort((a, b) => (a.rule < b.rule ? -1 : 1))
  })
}

/** What a processor of rules has said of them last; undefined: nothing yet. @throws SNAPSHOT_INVALID */
export function reportOf(
  processor: Pick<Processor, 'kind' | 'name' | 'to'>,
  reports: ReadonlyMap<string, StoredMessage>,
): RulesReport | undefined {
  const subject = reportSubject(processor.to.stream.name, processorId(processor), WHOLE)
  const message = reports.get(subject)
  return message === undefined ? undefined : (decodeReport(message.data, subject) as RulesReport)
}
