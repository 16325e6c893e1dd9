import { contextOfCommands } from '../../actor/command-stream.js'
import type { LeftoverMerge } from '../../broker/leftover-merges.js'
import type { Change, PlanStep } from '../../broker/plan-streams.js'
import type { StrandedOutbox } from '../../runtime/stranded-outboxes.js'
import type { SourceConfig } from '../../broker/stream-sources.js'
import { formatDuration } from '../../time/duration.js'
import type { Look, Output } from '../output.js'
import { bytes, counted } from '../table.js'

type Tense = 'plan' | 'applied' | 'refused'

const SIGN: Readonly<Record<PlanStep['kind'], readonly [sign: string, look: Look]>> = {
  unchanged: ['=', 'gray'],
  create: ['+', 'green'],
  update: ['~', 'yellow'],
  refused: ['!', 'red'],
}

const DONE: Readonly<Record<PlanStep['kind'], string>> = {
  unchanged: 'unchanged',
  create: 'created',
  update: 'updated',
  refused: 'refused',
}

const NANOSECONDS: ReadonlySet<string> = new Set(['max_age', 'duplicate_window'])

/** One line for each stream, its changed settings below, and what it comes to. */
export function printPlan(out: Output, steps: readonly PlanStep[], tense: Tense): void {
  for (const step of steps) {
    const [sign, look] = SIGN[step.kind]
    const what = tense === 'applied' ? DONE[step.kind] : step.kind
    out.line(`${out.style(look, sign)} ${step.stream}  ${out.style(look, what)}`)
    if (step.kind === 'create' && step.config.sources !== undefined)
      out.line(`    filled from ${sourcesShown(step.config.sources)}`)
    if (!('changes' in step)) continue
    for (const change of step.changes) out.line(`    ${changeLine(change)}`)
    if (step.kind === 'refused') out.line(`    ${step.reason}`)
  }
  const summary = summaryOf(steps, tense)
  if (summary !== '') out.line(summary)
}

/** Streams that are filled on though no pipeline here reads them. */
export function printLeftovers(out: Output, leftovers: readonly LeftoverMerge[]): void {
  for (const { stream, inputs, messages, bytes: size } of leftovers) {
    out.line(`${out.style('yellow', '?')} ${stream}  ${out.style('yellow', 'left over')}`)
    out.line(
      `    copies of ${inputs.join(', ')} for a pipeline that is not declared here: ${counted(messages, 'message')}, ${bytes(size)}`,
    )
    out.line(`    the server fills it on; if no other deployment has it: millrace streams remove ${stream}`)
  }
}

/** What waits to be carried over to other streams, and is not. */
export function printStranded(out: Output, stranded: readonly StrandedOutbox[]): void {
  for (const { from, to, waiting } of stranded) {
    out.line(`${out.style('yellow', '?')} ${from}  ${out.style('yellow', 'holds back')}`)
    out.line(`    ${counted(waiting, 'message')} for ${to}, which nothing that is declared here carries over`)
    const context = contextOfCommands(to)
    const again = context === undefined ? `an output of a pipeline to ${to}` : `sends: ['${context}'] in an actor`
    out.line(`    declare it again until they are gone: ${again}`)
  }
}

/** The same for machines. */
export function planJson(steps: readonly PlanStep[]): object[] {
  return steps.map((step) => ({
    stream: step.stream,
    step: step.kind,
    ...('changes' in step ? { changes: step.changes } : {}),
    ...(step.kind === 'refused' ? { reason: step.reason } : {}),
    ...(step.kind === 'create' ? { config: step.config } : {}),
  }))
}

function summaryOf(steps: readonly PlanStep[], tense: Tense): string {
  if (tense === 'refused') return ''
  const counted = (['create', 'update', 'refused'] as const)
    .map((kind) => [kind, steps.filter((step) => step.kind === kind).length] as const)
    .filter(([, count]) => count > 0)
  if (counted.length === 0) return 'Nothing to change: every stream is as declared.'
  if (tense === 'applied') return `${counted.map(([kind, count]) => `${count} ${DONE[kind]}`).join(', ')}.`
  const todo = counted.map(([kind, count]) => `${count} to ${kind === 'refused' ? 'refuse' : kind}`).join(', ')
  return `${todo}. Carry it out with: millrace streams apply`
}

function changeLine({ setting, deployed, declared }: Change): string {
  return `${setting}: ${shown(setting, deployed)} → ${shown(setting, declared)}`
}

function shown(setting: string, value: unknown): string {
  if (setting === 'sources' && Array.isArray(value)) return sourcesShown(value as SourceConfig[])
  if (typeof value === 'number' && NANOSECONDS.has(setting))
    return value === 0 ? 'unlimited' : formatDuration(value / 1e6)
  if (typeof value === 'number' && setting === 'max_bytes') return value < 0 ? 'unlimited' : bytes(value)
  if (value === undefined || value === '') return 'none'
  return typeof value === 'string' ? value : JSON.stringify(value)
}

/** Which streams, and which of their events: the filter after the root and the partition. */
function sourcesShown(sources: readonly SourceConfig[]): string {
  const shownOne = ({ name, subject_transforms: transforms }: SourceConfig): string => {
    const types = transforms.map(({ src }) => src.split('.').slice(2).join('.'))
    return `${name} (${[...new Set(types)].join(', ')})`
  }
  return sources.map(shownOne).join(', ')
}
