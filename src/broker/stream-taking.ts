import { asFault } from './api-error.js'
import type { MillraceError } from '../error/millrace-error.js'
import type { Connection } from './connection.js'

/** Which stream takes messages of a subject, as far as the server says. */
export type StreamTaking =
  | { readonly kind: 'stream'; readonly name: string }
  | { readonly kind: 'none' }
  /** JetStream did not answer, or not to this user. */
  | { readonly kind: 'unknown'; readonly reason: MillraceError }

/** Asks which stream’s subjects overlap with a subject; a stream without a leader is known too. Never throws. */
export async function streamTaking(connection: Connection, subject: string, but?: string): Promise<StreamTaking> {
  try {
    for await (const name of connection.manager.streams.names(subject))
      if (name !== but) return { kind: 'stream', name }
    return { kind: 'none' }
  } catch (error) {
    return { kind: 'unknown', reason: asFault(error, `asking which stream takes ${subject}`) }
  }
}
