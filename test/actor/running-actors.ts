// Actors on a real server: a deployment of them at work, commands for it, and what is stored.
import type { ActorDeclaration } from '../../src/actor/actor-options.ts'
import type { CommandDraft } from '../../src/actor/define-command.ts'
import { recordFilter } from '../../src/actor/aggregate-subject.ts'
import { applyStreams } from '../../src/broker/apply-streams.ts'
import type { Connection } from '../../src/broker/connection.ts'
import { defineStream, type StreamDeclaration, type StreamOptions } from '../../src/broker/define-stream.ts'
import { planStreams } from '../../src/broker/plan-streams.ts'
import type { EventContract } from '../../src/event/contract.ts'
import { createRegistry } from '../../src/event/registry.ts'
import { repartition } from '../../src/kernel/repartition/repartition.ts'
import { silentLog, type Log } from '../../src/observe/log.ts'
import type { DeclaredPipeline } from '../../src/pipeline/declared-pipeline.ts'
import { Contracts, withActors } from '../../src/runtime/context-actors.ts'
import { createRuntime, type Runtime } from '../../src/runtime/create-runtime.ts'
import { mergeStreamsOf, type Deployment } from '../../src/runtime/deployment.ts'
import { processorsOf } from '../../src/runtime/processors.ts'
import { systemClock } from '../../src/time/system-clock.ts'
import { readAll } from '../support/events.ts'
import { publishAll } from '../support/events.ts'

let count = 0
const say: Log['info'] = (...parts) => console.log(...parts)
const LOG: Log =
  process.env['MILLRACE_TEST_LOG'] === undefined ? silentLog : { debug: say, info: say, warn: say, error: say }

export interface ContextOptions extends Partial<StreamOptions> {
  readonly contracts?: readonly EventContract[]
  /** Pipelines of the context, given the name of its stream. */
  readonly pipelines?: (stream: string) => readonly DeclaredPipeline[]
  /** Streams of contexts without actors. */
  readonly others?: readonly StreamDeclaration[]
}

/** A deployment of one context with actors, its streams created. */
export async function deploy(
  connection: Connection,
  actors: readonly ActorDeclaration[],
  { contracts = [], pipelines = () => [], others = [], ...options }: ContextOptions = {},
): Promise<Deployment> {
  const name = `A${process.pid}-${(count += 1)}`
  const declared = defineStream({ name, root: name.toLowerCase(), partitions: 4, ...options })
  // of the streams that reactions are from, there are none here
  const alone = actors.map((actor) => ({ ...actor, reactions: [] }))
  const context = withActors(declared, alone)
  const all = new Contracts()
  all.add(contracts, context)
  all.addActors(context)
  const own = pipelines(declared.name)
  const streams = [context.stream, ...(context.commands === undefined ? [] : [context.commands]), ...others]
  const deployment: Deployment = {
    folder: '',
    streams: [...streams, ...mergeStreamsOf({ streams, pipelines: own })],
    registry: createRegistry(all.all),
    pipelines: own,
    rules: [],
    actors: context.actors,
    homes: all.homes,
  }
  await applyStreams(connection, await planStreams(connection, deployment.streams))
  return deployment
}

/** Puts a deployment to work in this process. */
export function work(connection: Connection, deployment: Deployment, owner = 'one'): Promise<Runtime> {
  const [stream] = deployment.streams
  return createRuntime({
    connection,
    deployment,
    clock: systemClock,
    log: LOG,
    owner: `${owner}-${process.pid}`,
    group: `g-${stream?.name}`,
  })
}

export async function tellAll(
  connection: Connection,
  { streams }: Deployment,
  drafts: Iterable<CommandDraft>,
): Promise<void> {
  const commands = streams[1]
  if (commands === undefined) throw new Error('there are no actors')
  await publishAll(connection, commands, drafts)
}

export interface RecordOnServer {
  readonly type: string
  readonly id: string
  readonly version: number
  readonly decided: readonly { c: string; q: number; n: number; x?: { code: string; message: string } }[]
  readonly events: readonly { id: string; type: string; data: Record<string, unknown> }[]
}

/** Records of a deployment, in the order of the log. */
export async function recordsOf(
  connection: Connection,
  { streams }: Deployment,
  id?: string,
): Promise<RecordOnServer[]> {
  const stream = streams[0]
  if (stream === undefined) throw new Error('there is no stream')
  const messages = await readAll(connection, stream.name, [recordFilter(stream.root)])
  return messages
    .map(({ subject, headers, data }) => ({
      type: subject.split('.').at(-2) ?? '',
      id: subject.split('.').at(-1) ?? '',
      version: Number(headers.get('Millrace-Aggregate-Version')),
      decided: JSON.parse(headers.get('Millrace-Decided') ?? '[]') as RecordOnServer['decided'],
      events: JSON.parse(Buffer.from(data).toString()) as RecordOnServer['events'],
    }))
    .filter((record) => id === undefined || record.id === id)
}

/** Has streams of a deployment use another number of partitions. @returns the deployment with that number declared */
export async function changePartitions(
  connection: Connection,
  deployment: Deployment,
  to: number,
  changed: readonly StreamDeclaration[] = deployment.streams,
): Promise<Deployment> {
  for (const stream of changed)
    await repartition({
      connection,
      registry: deployment.registry,
      clock: systemClock,
      log: silentLog,
      owner: 'command',
      group: `g-${deployment.streams[0]?.name}`,
      cut: new Set(),
      patience: 60_000,
      processors: processorsOf(deployment),
      stream,
      to,
    })
  const others = new Map(changed.map((stream) => [stream, { ...stream, partitions: to }]))
  const now = (stream: StreamDeclaration): StreamDeclaration => others.get(stream) ?? stream
  const actors = deployment.actors.map((one) => ({ ...one, stream: now(one.stream), commands: now(one.commands) }))
  const homes = new Map([...deployment.homes].map(([type, stream]) => [type, now(stream)]))
  return { ...deployment, streams: deployment.streams.map(now), actors, homes }
}
