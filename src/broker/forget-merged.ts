// A stream that merges inputs may forget what its readers have passed and its inputs have forgotten too: a replay then
// goes as far back as one of the inputs themselves would.
import type { StoredMsg } from '@nats-io/jetstream'
import { asFault } from './api-error.js'
import type { Connection } from './connection.js'
import type { StreamDeclaration } from './define-stream.js'
import { readLast } from './last-message.js'
import { mergedSubjects } from './merge-stream.js'
import { requireSameStream } from './stream-identity.js'
import { inputNote } from './stream-sources.js'

/** Who reads a merge stream, and how far. */
export interface MergeReader {
  /** The one that it reads; undefined: all. */
  readonly partition: number | undefined
  /** The first sequence that it has still to read, or would read again in a recovery. */
  readonly needed: number
}

/**
 * Removes from a merge stream what is neither needed by its readers nor kept by the input that it came from. Three
 * things stay: what a reader needs; what the input has still; and of each input the last message, from which the server
 * knows, after a restart, how far that input is merged: without it, it could take everything again.
 * @returns how many messages were removed
 * @throws STREAM_REPLACED an input was deleted and made again: what it has since then is not merged
 * @throws STREAM_NOT_FOUND, BROKER_TIMEOUT and others of the broker
 */
export async function forgetMerged(
  connection: Connection,
  merge: StreamDeclaration,
  readers: readonly MergeReader[],
): Promise<number> {
  try {
    const { manager } = connection
    const { config } = await manager.streams.info(merge.name)
    let purged = 0
    for (const { stream, transforms } of merge.sources ?? []) {
      const { created } = await manager.streams.info(stream)
      const known = config.metadata?.[inputNote(stream)] ?? created
      requireSameStream(stream, { created: known, last: 0 }, { created, last: 0 })
      const subjects = mergedSubjects(merge.name, stream)
      const last = await readLast(connection, merge.name, subjects)
      if (last === undefined) continue
      // commit records and the like are kept for ever: the first event is what the input has still
      const events = `${transforms[0]?.src.split('.', 1)[0] ?? ''}.>`
      const first = await firstOf(connection, stream, { seq: 1, next_by_subj: events })
      // a copy is stored after its original: those from before the first that is left are of others, which are gone
      const kept =
        first && (await firstOf(connection, merge.name, { start_time: first.timestamp, next_by_subj: subjects }))
      const most = Math.min(kept?.seq ?? last.sequence, last.sequence)
      for (const { partition, needed } of readers) {
        const filter = partition === undefined ? subjects : subjects.replace('>', `${partition}.>`)
        const seq = Math.min(needed, most)
        // without a sequence above 1 the server would take the purge for one of everything
        if (seq > 1) purged += (await manager.streams.purge(merge.name, { filter, seq })).purged
      }
    }
    return purged
  } catch (error) {
    throw asFault(error, `forgetting what is read of ${merge.name}`)
  }
}

type First = { readonly next_by_subj: string } & ({ readonly seq: number } | { readonly start_time: string })

async function firstOf({ manager }: Connection, stream: string, from: First): Promise<StoredMsg | undefined> {
  try {
    for await (const message of await manager.direct.getBatch(stream, { ...from, batch: 1 })) return message
  } catch (error) {
    // a direct read answers with a status, not with an error of the API: 404, no message found
    if (typeof error !== 'object' || error === null || !('code' in error) || error.code !== 404) throw error
  }
  return undefined
}
