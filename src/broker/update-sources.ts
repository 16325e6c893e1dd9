// Changing what a stream is filled from, without a message lost or stored twice.
//
// The server takes a source whose filters changed for a new one and begins it at the first message. So the old one is
// taken away first, then what is stored of that input says where the new one has to begin. A crash between the two
// leaves an input out for a while; the next apply finds where it stopped in the same way.
import type { StreamConfig } from '@nats-io/jetstream'
import type { Clock } from '../time/clock.js'
import { asFault } from './api-error.js'
import type { Connection } from './connection.js'
import { mergedSubjects } from './merge-stream.js'
import { inputNotes } from './replaced-input.js'
import type { ManagedConfig } from './stream-config.js'
import { deployedSources, originOf, sameSource, SOURCE_HEADER, type SourceConfig } from './stream-sources.js'

/** How long nothing more may arrive from an input that was taken away, in ms: a cluster may still have some on its way. */
const QUIET_MS = 150

/**
 * Brings a stream that is filled from others to its declaration: one input after the other, so that it is never without
 * any. Safe to repeat.
 * @throws STREAM_NOT_FOUND an input does not exist; errors of the broker
 */
export async function updateSources(connection: Connection, config: ManagedConfig, clock: Clock): Promise<void> {
  const { name, sources: declared = [] } = config
  const deployed = await deployedStream(connection, name)
  const notes = await inputNotes(
    connection,
    declared.map((source) => source.name),
  )
  const settings = { ...config, metadata: { ...deployed.metadata, ...config.metadata, ...notes } }
  let current = deployedSources(deployed)
  const update = async (sources: SourceConfig[]): Promise<void> => {
    await store(connection, { ...settings, sources })
    current = sources
  }
  // those that are new come before those that change, and both before any goes
  for (const source of inOrder(declared, current)) {
    if (current.some((other) => sameSource(source, other))) continue
    const others = current.filter((other) => other.name !== source.name)
    const former = current.find((other) => other.name === source.name)
    if (former !== undefined) await update(others)
    await update([...others, { ...source, ...(await startOf(connection, name, source.name, former, clock)) }])
  }
  await update(current.filter((other) => declared.some((source) => sameSource(source, other))))
}

function inOrder(declared: readonly SourceConfig[], deployed: readonly SourceConfig[]): SourceConfig[] {
  const isNew = ({ name }: SourceConfig): boolean => deployed.every((other) => other.name !== name)
  return [...declared.filter(isNew), ...declared.filter((source) => !isNew(source))]
}

/** Where a source begins: after what is stored of its input, else where the one before it began. */
async function startOf(
  connection: Connection,
  stream: string,
  input: string,
  former: SourceConfig | undefined,
  clock: Clock,
): Promise<Pick<SourceConfig, 'opt_start_seq'>> {
  let last = await lastMerged(connection, stream, input)
  for (;;) {
    await clock.sleep(QUIET_MS)
    const now = await lastMerged(connection, stream, input)
    if (now === last) break
    last = now
  }
  const start = Math.max(last === undefined ? 0 : last + 1, former?.opt_start_seq ?? 0)
  return start === 0 ? {} : { opt_start_seq: start }
}

/**
 * How far an input is merged: the sequence there of its last message that is stored here. Undefined when there is none.
 * @throws STREAM_NOT_FOUND, BROKER_TIMEOUT and others of the broker
 */
export async function lastMerged(connection: Connection, stream: string, input: string): Promise<number | undefined> {
  try {
    const message = await connection.manager.streams.getMessage(stream, { last_by_subj: mergedSubjects(stream, input) })
    return originOf(message?.header.get(SOURCE_HEADER))?.sequence
  } catch (error) {
    // JetStream error 10037: no message found
    if (typeof error === 'object' && error !== null && 'code' in error && error.code === 10037) return undefined
    throw asFault(error, `reading how far ${input} is in ${stream}`)
  }
}

async function deployedStream({ manager }: Connection, name: string): Promise<StreamConfig> {
  try {
    return (await manager.streams.info(name)).config
  } catch (error) {
    throw asFault(error, `reading stream ${name}`)
  }
}

async function store({ manager }: Connection, config: ManagedConfig): Promise<void> {
  try {
    await manager.streams.update(config.name, config as Partial<StreamConfig>)
  } catch (error) {
    throw asFault(error, `updating stream ${config.name}`)
  }
}
