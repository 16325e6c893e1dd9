import type { StreamConfig } from '@nats-io/jetstream'
import { isFault } from '../error/millrace-error.js'
import type { Connection } from './connection.js'
import { readStreamIdentity } from './stream-identity.js'
import type { ManagedConfig } from './stream-config.js'
import { inputNote } from './stream-sources.js'

/** An input that was deleted and made again since a stream was filled from it. */
export interface ReplacedInput {
  readonly name: string
  /** When the two were made. */
  readonly known: string
  readonly created: string
}

/**
 * Finds an input that is not the one that a stream was filled from. What is merged of the old one and the sequences of
 * the new one do not go together: the server would leave out some of its messages, or take some again.
 * @throws BROKER_TIMEOUT and others of the broker
 */
export async function replacedInput(
  connection: Connection,
  { sources = [] }: ManagedConfig,
  { metadata = {} }: StreamConfig,
): Promise<ReplacedInput | undefined> {
  for (const { name } of sources) {
    const known = metadata[inputNote(name)]
    const created = known === undefined ? undefined : await createdAt(connection, name)
    if (known !== undefined && created !== undefined && created !== known) return { name, known, created }
  }
  return undefined
}

/**
 * When inputs were made, as notes for the metadata of the stream that is filled from them.
 * @throws STREAM_NOT_FOUND, BROKER_TIMEOUT and others of the broker
 */
export async function inputNotes(connection: Connection, inputs: readonly string[]): Promise<Record<string, string>> {
  const notes = inputs.map(
    async (name) => [inputNote(name), (await readStreamIdentity(connection, name)).created] as const,
  )
  return Object.fromEntries(await Promise.all(notes))
}

async function createdAt(connection: Connection, stream: string): Promise<string | undefined> {
  try {
    return (await readStreamIdentity(connection, stream)).created
  } catch (error) {
    if (isFault(error, 'STREAM_NOT_FOUND')) return undefined // its own step of the plan says so
    throw error
  }
}
