// A stream that merges the inputs of a pipeline stays when the pipeline goes, and the server fills it on. Nobody can know
// from one deployment whether another one still declares it, so it is shown, and removed by name only.
import type { StreamInfo } from '@nats-io/jetstream'
import { fault } from '../error/millrace-error.js'
import { asFault } from './api-error.js'
import type { Connection } from './connection.js'
import type { StreamDeclaration } from './define-stream.js'
import { mergeStreamName } from './merge-stream.js'
import { deployedSources, PARTITIONS_NOTE } from './stream-sources.js'

/** A stream that was made for a pipeline which is not declared here. */
export interface LeftoverMerge {
  readonly stream: string
  readonly inputs: readonly string[]
  readonly messages: number
  readonly bytes: number
}

/**
 * Merges of declared streams that are not declared themselves.
 * @throws BROKER_TIMEOUT and others of the broker
 */
export async function leftoverMerges(
  connection: Connection,
  declarations: readonly StreamDeclaration[],
): Promise<readonly LeftoverMerge[]> {
  const declared = new Set(declarations.map(({ name }) => name))
  const found: LeftoverMerge[] = []
  try {
    for await (const info of connection.manager.streams.list()) {
      const merge = mergeOf(info)
      if (merge !== undefined && !declared.has(merge.stream) && merge.inputs.some((input) => declared.has(input)))
        found.push(merge)
    }
  } catch (error) {
    throw asFault(error, 'listing streams')
  }
  return found.sort((one, other) => (one.stream < other.stream ? -1 : 1))
}

/**
 * Finds the merge of that name, if it may be removed.
 * @throws STREAM_NOT_LEFT_OVER it is declared, is not a merge, or somebody reads it; STREAM_NOT_FOUND and others of the broker
 */
export async function requireLeftover(
  connection: Connection,
  declarations: readonly StreamDeclaration[],
  name: string,
): Promise<LeftoverMerge> {
  const { streams, consumers } = connection.manager
  if (declarations.some((stream) => stream.name === name)) throw notLeftOver(name, 'it is declared here')
  try {
    const merge = mergeOf(await streams.info(name))
    if (merge === undefined) throw notLeftOver(name, 'it was not made for a pipeline with several inputs')
    for await (const { name: consumer, num_waiting } of consumers.list(name))
      if (num_waiting > 0) throw notLeftOver(name, `${consumer} reads it at this moment`)
    return merge
  } catch (error) {
    throw asFault(error, `reading stream ${name}`)
  }
}

/** @throws errors of the broker */
export async function removeStream({ manager }: Connection, name: string): Promise<void> {
  try {
    await manager.streams.delete(name)
  } catch (error) {
    throw asFault(error, `removing stream ${name}`)
  }
}

function mergeOf({ config, state }: StreamInfo): LeftoverMerge | undefined {
  const inputs = deployedSources(config).map(({ name }) => name)
  const isMerge = MERGE.test(config.name) && inputs.length > 0 && config.metadata?.[PARTITIONS_NOTE] !== undefined
  return isMerge ? { stream: config.name, inputs, messages: state.messages, bytes: state.bytes } : undefined
}

const MERGE = new RegExp(`^${mergeStreamName('.+')}$`)

function notLeftOver(stream: string, why: string): Error {
  return fault('STREAM_NOT_LEFT_OVER', `${stream}: ${why}`)
}
