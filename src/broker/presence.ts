import type { Subscription } from '@nats-io/transport-node'
import { isFault } from '../error/millrace-error.js'
import { asFault } from './api-error.js'
import type { Connection } from './connection.js'
import { request } from './request.js'

const ANSWER = Buffer.from('here')

/** Where a process answers for as long as its connection lives. */
function presenceSubject(group: string, member: string): string {
  return `millrace.presence.${group}.${member}`
}

/**
 * Answers whoever asks whether a process is there. Resolves when the first own question was answered: where the server
 * does not let it listen, others must not take its silence for an end.
 * @returns what ends it; undefined: nobody would hear it
 * @throws nothing: what went wrong is that nobody would hear it
 */
export async function answerPresence(
  connection: Connection,
  group: string,
  member: string,
  timeoutMs: number,
): Promise<(() => void) | undefined> {
  const subject = presenceSubject(group, member)
  const subscription = listen(connection, subject)
  if (subscription === undefined) return undefined
  const stop = (): void => (connection.state.kind === 'closed' ? undefined : subscription.unsubscribe())
  if ((await askPresence(connection, group, member, timeoutMs)) === 'here') return stop
  stop()
  return undefined
}

/** @returns undefined: the connection is closing, or closed */
function listen({ nats }: Connection, subject: string): Subscription | undefined {
  try {
    return nats.subscribe(subject, {
      callback: (refused, message) => void (refused === null && message.respond(ANSWER)),
    })
  } catch (error) {
    if (nats.isClosed() || nats.isDraining()) return undefined
    throw error
  }
}

/**
 * Asks whether a process is there. `gone`: the server knows nobody who listens in its place, so its connection has ended.
 * `unknown`: it may be busy or frozen, or the question was lost.
 */
export async function askPresence(
  connection: Connection,
  group: string,
  member: string,
  timeoutMs: number,
): Promise<'here' | 'gone' | 'unknown'> {
  const subject = presenceSubject(group, member)
  try {
    await request(connection, subject, ANSWER, { timeout: timeoutMs })
    return 'here'
  } catch (error) {
    // the server answers at once that nobody listens; in a request to a stream the same means that there is no stream
    return isFault(asFault(error, subject), 'NO_STREAM_FOR_SUBJECT') ? 'gone' : 'unknown'
  }
}
