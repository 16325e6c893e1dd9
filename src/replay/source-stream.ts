import { asFault } from '../broker/api-error.js'
import type { Connection } from '../broker/connection.js'
import { fault } from '../error/millrace-error.js'
import { nearestName } from '../event/nearest-name.js'

/** What a replay has to know about the stream that it reads. */
export interface SourceStream {
  readonly name: string
  /** First tokens of its events’ subjects; undefined for a stream that Millrace did not lay out. */
  readonly root: string | undefined
  /** What it stores of what is published. */
  readonly subjects: readonly string[]
  /** Streams whose messages the server copies into it. */
  readonly upstream: readonly string[]
  /** Sequences of the first and last message that it has; `last` is `first - 1` when it has none. */
  readonly first: number
  readonly last: number
}

/** @throws STREAM_NOT_FOUND naming what was probably meant, and errors of the broker */
export async function readSource(connection: Connection, name: string): Promise<SourceStream> {
  try {
    const { config, state } = await connection.manager.streams.info(name)
    const { sources = [], mirror } = config
    return {
      name,
      root: rootOf(config.subject_transform),
      subjects: config.subjects ?? [],
      upstream: [...sources, ...(mirror === undefined ? [] : [mirror])].map((source) => source.name),
      first: state.messages === 0 ? state.last_seq + 1 : state.first_seq,
      last: state.last_seq,
    }
  } catch (error) {
    const known = asFault(error, `reading stream ${name}`)
    if (known.code !== 'STREAM_NOT_FOUND') throw known
    throw fault('STREAM_NOT_FOUND', `${name}${await suggestion(connection, name)}`, { cause: error })
  }
}

/** The root of a stream whose partition transform is that of a declared stream. */
function rootOf(transform: { readonly src?: string; readonly dest: string } | undefined): string | undefined {
  const root = transform?.src?.endsWith('.*.>') === true ? transform.src.slice(0, -4) : undefined
  return root !== undefined && transform?.dest.startsWith(`${root}.{{partition(`) === true ? root : undefined
}

async function suggestion(connection: Connection, name: string): Promise<string> {
  const names: string[] = []
  for await (const existing of connection.manager.streams.names()) names.push(existing)
  const nearest = nearestName(name.toUpperCase(), names)
  if (nearest !== undefined) return `; did you mean ${nearest}?`
  return names.length === 0 ? '; there is no stream at all' : `; there are: ${names.slice(0, 20).join(', ')}`
}
