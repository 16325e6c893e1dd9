import type { StreamDeclaration } from '../broker/define-stream.js'
import { mergeStream } from '../broker/merge-stream.js'
import type { Rule } from '../cep/rule/rule.js'
import { fault } from '../error/millrace-error.js'
import type { Registry } from '../event/registry.js'
import type { ModelsConfig } from '../job/models-config.js'
import type { DeclaredPipeline } from '../pipeline/declared-pipeline.js'
import type { ViewDeclaration } from '../view/view-options.js'
import type { DeployedActor } from './context-actors.js'
import type { DeployedEdge } from './deployed-edges.js'
import type { DeployedHandler } from './deployed-handlers.js'
import type { DeployedJob } from './deployed-jobs.js'
import type { DeployedOutbox } from './outboxes-at-work.js'
import type { DeployedSchedule } from './schedules-at-work.js'
import type { PipelineStreams } from '../pipeline/pipeline-processor.js'

/** A rule and the file it came from. */
export interface RuleFile {
  readonly file: string
  /** What is in it; absent for a rule that is a part of the code. */
  readonly text?: string
  readonly rule: Rule
}

/** Everything that a `streams/` folder declares. */
export interface Deployment {
  /** The folder, as an absolute path. */
  readonly folder: string
  /** Those of the contexts, after them those of commands, of work and of jobs, and those that merge the inputs of a pipeline. */
  readonly streams: readonly StreamDeclaration[]
  readonly registry: Registry
  readonly pipelines: readonly DeclaredPipeline[]
  readonly rules: readonly RuleFile[]
  readonly actors: readonly DeployedActor[]
  /** Default none. */
  readonly views?: readonly ViewDeclaration[]
  /** Default none. */
  readonly handlers?: readonly DeployedHandler[]
  /** Handlers that keep the order of keys. Default none. */
  readonly ordered?: readonly DeployedHandler[]
  /** What takes their requests is among the handlers. Default none. */
  readonly jobs?: readonly DeployedJob[]
  /** What is known of models. Default nothing: no limits, no prices, no budgets. */
  readonly models?: ModelsConfig
  /** Default none. */
  readonly outboxes?: readonly DeployedOutbox[]
  /** Default none. */
  readonly schedules?: readonly DeployedSchedule[]
  /** Sinks that are no handlers, and sources. Default none. */
  readonly edges?: readonly DeployedEdge[]
  /** By type of event or command: the stream of the context that declares it, or of its commands. */
  readonly homes: ReadonlyMap<string, StreamDeclaration>
  /** By name of a stream: the folder of the context that declares it, as an absolute path. Of a context’s commands too. */
  readonly contexts?: ReadonlyMap<string, string>
}

/** @throws DECLARATION_UNKNOWN naming those that exist */
export function streamNamed(deployment: Deployment, name: string): StreamDeclaration {
  return named('stream', name, deployment.streams, (stream) => stream.name)
}

/** @throws DECLARATION_UNKNOWN naming those that exist */
export function pipelineNamed(deployment: Deployment, name: string): DeclaredPipeline {
  return named('pipeline', name, deployment.pipelines, (pipeline) => pipeline.name)
}

/** @throws DECLARATION_UNKNOWN naming those that exist */
export function ruleNamed(deployment: Deployment, name: string): RuleFile {
  return named('rule', name, deployment.rules, ({ rule }) => rule.name)
}

/** @throws DECLARATION_UNKNOWN naming those that exist */
export function actorNamed(deployment: Deployment, name: string): DeployedActor {
  return named('actor', name, deployment.actors, ({ actor }) => actor.name)
}

/** The stream that events of a type are published to: that of the context which declares the type. */
export function streamOf(deployment: Deployment, type: string): StreamDeclaration | undefined {
  return deployment.homes.get(type)
}

/** The streams that a pipeline reads and writes. @throws DECLARATION_UNKNOWN */
export function pipelineStreams(deployment: Deployment, pipeline: DeclaredPipeline): PipelineStreams {
  const stream = (name: string): StreamDeclaration => streamNamed(deployment, name)
  const streams = { from: stream(pipeline.from.stream), to: stream(pipeline.to.stream) }
  const [, ...others] = pipeline.outputs
  if (others.length === 0) return streams
  return {
    ...streams,
    others: others.map((output) => ({ stream: stream(output.stream), types: output.events.map(({ type }) => type) })),
  }
}

/**
 * The streams that pipelines with several inputs read, which follow from their declarations.
 * @throws DECLARATION_UNKNOWN, STREAM_INVALID
 */
export function mergeStreamsOf({ streams, pipelines }: Pick<Deployment, 'streams' | 'pipelines'>): StreamDeclaration[] {
  return pipelines
    .filter(({ inputs }) => inputs.length > 1)
    .map(({ name, inputs }) =>
      mergeStream(
        name,
        inputs.map(({ stream, events }) => ({
          stream: named('stream', stream, streams, (declared) => declared.name),
          types: events.map(({ type }) => type),
        })),
      ),
    )
}

function named<T>(what: string, name: string, all: readonly T[], nameOf: (item: T) => string): T {
  const found = all.find((item) => nameOf(item) === name)
  if (found !== undefined) return found
  throw fault('DECLARATION_UNKNOWN', `${what} ${JSON.stringify(name)}; there are: ${all.map(nameOf).join(', ')}`)
}
