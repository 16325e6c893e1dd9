import { asFault } from '../broker/api-error.js'
import type { Connection } from '../broker/connection.js'
import { fault } from '../error/millrace-error.js'
import { isSubject, overlaps } from '../event/subject.js'
import { readSource } from './source-stream.js'

/** Where a replay publishes. */
export interface SubjectTarget {
  /** What comes before `.<key>.<type>`. */
  readonly prefix: string
  /** Streams that take what is published there; none means core NATS: only who listens now hears it. */
  readonly streams: readonly string[]
}

/**
 * Reads a target such as `sandbox.>` and makes sure that replaying into it ends: neither the stream that is read nor
 * one that the server copies into it may take what is published.
 * @throws REPLAY_LOOP, SUBJECT_INVALID, STREAM_NOT_FOUND and errors of the broker
 */
export async function resolveTarget(connection: Connection, stream: string, text: string): Promise<SubjectTarget> {
  const prefix = text.endsWith('.>') ? text.slice(0, -2) : text
  if (!isSubject(prefix)) throw fault('SUBJECT_INVALID', `${JSON.stringify(text)}; write it like sandbox.>`)
  if (/^(?:millrace|\$.*|_INBOX.*)$/.test(prefix.split('.')[0] ?? ''))
    throw fault('SUBJECT_INVALID', `${prefix} belongs to Millrace or NATS itself; choose another first token`)
  const taken = `${prefix}.>`
  const source = await readSource(connection, stream)
  const own = source.subjects.find((subject) => overlaps(subject, taken))
  if (own !== undefined) throw fault('REPLAY_LOOP', `${stream} itself listens to ${own}, which takes ${taken}`)
  const streams = await streamsTaking(connection, taken)
  const upstream = streams.find((name) => source.upstream.includes(name))
  if (upstream !== undefined) throw fault('REPLAY_LOOP', `${upstream} takes ${taken}, and ${stream} copies ${upstream}`)
  return { prefix, streams }
}

async function streamsTaking(connection: Connection, taken: string): Promise<readonly string[]> {
  try {
    const streams: string[] = []
    for await (const { config } of connection.manager.streams.list())
      if (config.subjects?.some((subject) => overlaps(subject, taken)) === true) streams.push(config.name)
    return streams
  } catch (error) {
    throw asFault(error, 'listing streams')
  }
}
