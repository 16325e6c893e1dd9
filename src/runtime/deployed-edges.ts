import type { StreamDeclaration } from '../broker/define-stream.js'
import { captureStream } from '../broker/capture-stream.js'
import { sinkId, sourceId } from '../edge/edge-status.js'
import type { FileSinkDeclaration } from '../edge/file/define-file-sink.js'
import type { HttpSourceDeclaration } from '../edge/http/define-http-source.js'
import type { SubjectSourceDeclaration } from '../edge/subject/define-subject-source.js'
import type { FileSourceDeclaration } from '../edge/tail/define-file-source.js'
import type { WebhookDeclaration } from '../edge/webhook/webhook-options.js'
import { fault } from '../error/millrace-error.js'
import type { PostgresSinkDeclaration } from '../outbox/define-postgres-sink.js'
import { requireUnique } from './require-declared.js'

/** What may be declared in `sinks/`. */
export type SinkDeclaration = WebhookDeclaration | PostgresSinkDeclaration | FileSinkDeclaration
export const SINK_KINDS = ['webhook', 'postgres-sink', 'file-sink'] as const

/** What may be declared in `sources/`. */
export type SourceDeclaration = FileSourceDeclaration | SubjectSourceDeclaration | HttpSourceDeclaration
export const SOURCE_KINDS = ['file-source', 'subject-source', 'http-source'] as const

/** A sink that is no handler, or a source, and the stream that it reads or fills. */
export interface DeployedEdge {
  /** `sink-archive`. */
  readonly id: string
  readonly declaration: PostgresSinkDeclaration | FileSinkDeclaration | SourceDeclaration
  readonly stream: StreamDeclaration
  /** Of a subject source: where the server captures what it reads. */
  readonly capture?: StreamDeclaration
}

/** The webhooks among sinks: they are handlers. */
export function webhooksAmong(sinks: readonly SinkDeclaration[]): readonly WebhookDeclaration[] {
  return sinks.filter((one) => one.kind === 'webhook')
}

/**
 * The others, and sources, of a deployment with their streams.
 * @throws DECLARATION_INVALID two have one name, or one names a stream that is not declared
 */
export function deployEdges(
  sinks: readonly SinkDeclaration[],
  sources: readonly SourceDeclaration[],
  streams: readonly StreamDeclaration[],
): readonly DeployedEdge[] {
  const namesOf = (all: readonly { readonly name: string }[]): string[] => all.map(({ name }) => name)
  requireUnique('sink', namesOf(sinks))
  requireUnique('source', namesOf(sources))
  const find = (who: string, name: string): StreamDeclaration => {
    const stream = streams.find((one) => one.name === name)
    if (stream !== undefined) return stream
    const which = JSON.stringify(name)
    throw fault(
      'DECLARATION_INVALID',
      `${who}: stream ${which} is not declared; there are: ${namesOf(streams).join(', ')}`,
    )
  }
  const others = sinks.filter((one) => one.kind !== 'webhook')
  return [
    ...others.map((declaration) => {
      const { name, from } = declaration
      return { id: sinkId(name), declaration, stream: find(`sink ${name}`, from.stream) }
    }),
    ...sources.map((declaration) => {
      const { name, to } = declaration
      const stream = find(`source ${name}`, to.stream)
      const own = { id: sourceId(name), declaration, stream }
      return declaration.kind === 'subject-source'
        ? { ...own, capture: captureStream({ ...declaration, stream }) }
        : own
    }),
  ]
}

/** The streams in which the server captures what sources read. */
export function captureStreamsOf(edges: readonly DeployedEdge[]): readonly StreamDeclaration[] {
  return edges.flatMap(({ capture }) => (capture === undefined ? [] : [capture]))
}

/** Whether one process has it at a time. Requests come to any: an HTTP source is nobody’s own. */
export function isUnit({ declaration }: DeployedEdge): boolean {
  return declaration.kind !== 'http-source'
}
