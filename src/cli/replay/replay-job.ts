import type { Connection } from '../../broker/connection.js'
import { fault } from '../../error/millrace-error.js'
import { processorId, type Processor } from '../../kernel/processor.js'
import { declaredProcessor } from '../../pipeline/declared-pipeline.js'
import { ruleProcessor } from '../../pipeline/rule-processor.js'
import { dryRun, type DryRun } from '../../replay/dry-run.js'
import type { WriteText } from '../../replay/line-writer.js'
import { ndjsonSink } from '../../replay/ndjson-sink.js'
import { OutputIndex } from '../../replay/output-index.js'
import type { Rejected, Sink } from '../../replay/sink.js'
import { subjectSink, type SubjectSink } from '../../replay/subject-sink.js'
import { resolveTarget } from '../../replay/subject-target.js'
import { pipelineNamed, pipelineStreams, streamNamed, type Deployment } from '../../runtime/deployment.js'
import type { Registry } from '../../event/registry.js'
import type { CliContext } from '../context.js'
import { ruleBy } from '../rules/rule-source.js'
import type { ReplayFlags } from './replay-flags.js'

/** What a replay is for: where its events go. */
export type ReplayJob =
  | { readonly kind: 'lines'; readonly stream: string; readonly sink: Sink }
  | { readonly kind: 'subject'; readonly stream: string; readonly sink: SubjectSink; readonly warning?: string }
  | {
      readonly kind: 'dry-run'
      readonly stream: string
      readonly sink: DryRun
      readonly processor: Processor
      readonly outputTypes: readonly string[]
      /** What it put out, where that is to be compared. */
      readonly index: OutputIndex | undefined
    }

export interface JobOptions {
  readonly context: CliContext
  readonly connection: Connection
  readonly flags: ReplayFlags
  /** Where lines go; undefined when nobody asked for them. */
  readonly write: WriteText | undefined
  readonly onRejected: (rejected: Rejected) => void
}

/**
 * @throws DECLARATION_UNKNOWN, RULE_INVALID, STREAMS_FOLDER_MISSING, REPLAY_LOOP, SUBJECT_INVALID, USAGE and errors of
 * the broker
 */
export async function replayJob(options: JobOptions): Promise<ReplayJob> {
  const { flags, context, connection, write, onRejected } = options
  const { stream = '', toSubject } = flags
  if (flags.pipeline !== undefined || flags.rule !== undefined) return dryRunJob(options)
  if (toSubject === undefined)
    return { kind: 'lines', stream, sink: ndjsonSink({ stream, onRejected, write: write ?? (() => undefined) }) }
  const target = await resolveTarget(connection, stream, toSubject)
  const sink = subjectSink({ connection, clock: context.clock, stream, target, onRejected })
  if (target.streams.length > 0) return { kind: 'subject', stream, sink }
  const warning = `no stream takes ${target.prefix}.>: only who listens now hears it, nothing is stored`
  return { kind: 'subject', stream, sink, warning }
}

async function dryRunJob({ flags, context, write, onRejected }: JobOptions): Promise<ReplayJob> {
  const { processor, outputTypes, registry } = await processorOf(context, flags)
  const stream = processor.from.stream.name
  if (flags.stream !== undefined && flags.stream !== stream)
    throw fault('USAGE', `${processorId(processor)} reads ${stream}, not ${flags.stream}`)
  const index = flags.compare === true ? new OutputIndex() : undefined
  const sink = dryRun({ processor, registry, write, index, onRejected })
  return { kind: 'dry-run', stream, sink, processor, outputTypes, index }
}

interface Chosen {
  readonly processor: Processor
  readonly outputTypes: readonly string[]
  readonly registry: Registry
}

async function processorOf(context: CliContext, { pipeline, rule }: ReplayFlags): Promise<Chosen> {
  const { discover } = await import('../../runtime/discover.js')
  // a rule with a mistake does not keep another one, or a pipeline, from being tried
  const deployment = await discover(context.options.streams, { rules: false })
  return pipeline === undefined ? ruleOf(deployment, rule ?? '') : pipelineOf(deployment, pipeline)
}

function pipelineOf(deployment: Deployment, name: string): Chosen {
  const declared = pipelineNamed(deployment, name)
  const streams = pipelineStreams(deployment, declared)
  const outputTypes = declared.to.events.map(({ type }) => type)
  return { processor: declaredProcessor(declared, streams), outputTypes, registry: deployment.registry }
}

async function ruleOf(deployment: Deployment, given: string): Promise<Chosen> {
  const { registry } = deployment
  const rule = await ruleBy(given, deployment)
  const streams = { from: streamNamed(deployment, rule.on), to: streamNamed(deployment, rule.to) }
  return { processor: ruleProcessor(rule, registry, streams), outputTypes: rule.outputTypes, registry }
}
