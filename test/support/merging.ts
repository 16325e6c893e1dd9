// Streams that are merged, and what is in them, for tests on a real server.
import { applyStreams } from '../../src/broker/apply-streams.ts'
import type { Connection } from '../../src/broker/connection.ts'
import { defineStream, type StreamDeclaration, type StreamOptions } from '../../src/broker/define-stream.ts'
import { mergeStream } from '../../src/broker/merge-stream.ts'
import { planStreams, type PlanStep } from '../../src/broker/plan-streams.ts'
import type { StoredMessage } from '../../src/broker/stored-message.ts'
import { originOf, SOURCE_HEADER } from '../../src/broker/stream-sources.ts'
import { storedFilter } from '../../src/event/subject.ts'
import { eventually } from './broker.ts'
import { readAll } from './events.ts'

let serial = 0

/** The types of event that are merged when a test does not say. */
export const TYPES = ['reading.taken']

/** Declarations of inputs that no other test uses. */
export function declareInputs(...options: Partial<StreamOptions>[]): StreamDeclaration[] {
  return options.map((given) => {
    const id = `in${process.pid}-${(serial += 1)}`
    return defineStream({ name: id.toUpperCase(), root: id, partitions: 4, ...given })
  })
}

/** A pipeline name that no other test uses. */
export function pipelineName(): string {
  return `p${process.pid}-${(serial += 1)}`
}

export function mergeOf(pipeline: string, inputs: readonly StreamDeclaration[], types = TYPES): StreamDeclaration {
  return mergeStream(
    pipeline,
    inputs.map((stream) => ({ stream, types })),
  )
}

export async function plan(connection: Connection, ...streams: StreamDeclaration[]): Promise<PlanStep[]> {
  return planStreams(connection, streams)
}

export async function apply(connection: Connection, ...streams: StreamDeclaration[]): Promise<void> {
  await applyStreams(connection, await plan(connection, ...streams))
}

/** Where a merged message came from, such as `IN1:17`. */
export function origin({ headers }: StoredMessage): string {
  const found = originOf(headers.get(SOURCE_HEADER))
  return `${found?.stream}:${found?.sequence}`
}

/** Everything that an input holds of the given types, as the origins that its copies must name. */
export async function originsIn(connection: Connection, input: StreamDeclaration, types = TYPES): Promise<string[]> {
  const messages = await readAll(
    connection,
    input.name,
    types.map((type) => storedFilter(input.root, type)),
  )
  return messages.map(({ sequence }) => `${input.name}:${sequence}`)
}

/** Waits until as many messages are merged, and a moment longer, and reads them. */
export async function merged(
  connection: Connection,
  merge: StreamDeclaration,
  count: number,
): Promise<StoredMessage[]> {
  await eventually(
    `${count} messages in ${merge.name}`,
    async () => (await connection.manager.streams.info(merge.name)).state.messages >= count || undefined,
    30_000,
  )
  await new Promise((resolve) => setTimeout(resolve, 200))
  return readAll(connection, merge.name)
}
