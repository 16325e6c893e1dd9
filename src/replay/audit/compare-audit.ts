import { isDeepStrictEqual } from 'node:util'
import { asFault } from '../../broker/api-error.js'
import type { Connection } from '../../broker/connection.js'
import { readStreamIdentity } from '../../broker/stream-identity.js'
import type { StoredMessage } from '../../broker/stored-message.js'
import { fault } from '../../error/millrace-error.js'
import type { Clock } from '../../time/clock.js'
import { readRange } from '../read-range.js'
import { auditEntry, type AuditEntry } from './audit-line.js'
import type { AuditPart, AuditSummary } from './read-audit.js'

export interface AuditComparison extends AuditSummary {
  /** Messages that are the same in both. */
  readonly same: number
  /** Messages that the stream has let go since: before its first one. */
  readonly gone: number
}

/**
 * Compares an export with the stream, message by message.
 * @throws AUDIT_BROKEN of the export · AUDIT_DIFFERS with the first line that the stream does not have so, or the first
 *   message that the export does not have · STREAM_REPLACED another stream of the same name · INTERRUPTED
 */
export async function compareAudit(
  connection: Connection,
  parts: AsyncGenerator<AuditPart, AuditSummary>,
  { clock, signal, onProgress }: CompareOptions,
): Promise<AuditComparison> {
  const begin = await parts.next()
  if (begin.done === true) return { ...begin.value, same: 0, gone: 0 }
  const { header } = begin.value
  const identity = await readStreamIdentity(connection, header.stream)
  if (identity.created !== header.created)
    throw fault(
      'STREAM_REPLACED',
      `${header.stream} was made at ${header.created}, now there is one of ${identity.created}`,
    )
  const walk = new Walk(parts, await firstSequence(connection, header.stream))
  await walk.step()
  const end = await readRange(connection, {
    stream: header.stream,
    filters: [header.subject],
    first: header.first,
    last: header.last,
    clock,
    signal,
    take: async (messages) => {
      for (const message of messages) await walk.take(message)
      onProgress?.(walk.same, ((messages.at(-1)?.sequence ?? 0) - header.first + 1) / (header.last - header.first + 1))
    },
  })
  if (end === 'interrupted') throw fault('INTERRUPTED', `after ${walk.same} messages`)
  return walk.finish()
}

interface CompareOptions {
  readonly clock: Clock
  readonly signal?: AbortSignal | undefined
  readonly onProgress?: (messages: number, fraction: number) => void
}

/** Goes through the export beside the stream. */
class Walk {
  same = 0
  #gone = 0
  readonly #parts: AsyncGenerator<AuditPart, AuditSummary>
  readonly #firstKept: number
  #at: { readonly number: number; readonly entry: AuditEntry } | undefined
  #summary: AuditSummary | undefined

  constructor(parts: AsyncGenerator<AuditPart, AuditSummary>, firstKept: number) {
    this.#parts = parts
    this.#firstKept = firstKept
  }

  async step(): Promise<void> {
    const { done, value } = await this.#parts.next()
    if (done === true) [this.#summary, this.#at] = [value, undefined]
    else this.#at = { number: value.number, entry: value.entry as AuditEntry }
  }

  async take(message: StoredMessage): Promise<void> {
    while (this.#at !== undefined && this.#at.entry.sequence < message.sequence) await this.#passGone(this.#at)
    if (this.#at?.entry.sequence !== message.sequence)
      throw fault('AUDIT_DIFFERS', `message ${message.sequence} is in the stream, and not in the export`)
    const { number, entry } = this.#at
    const { prev: _, ...written } = entry as AuditEntry & { prev?: unknown }
    if (!isDeepStrictEqual(written, JSON.parse(JSON.stringify(auditEntry(message)))))
      throw differs(number, `message ${message.sequence} is another one in the stream`)
    this.same += 1
    await this.step()
  }

  async finish(): Promise<AuditComparison> {
    while (this.#at !== undefined) await this.#passGone(this.#at)
    return { ...(this.#summary as AuditSummary), same: this.same, gone: this.#gone }
  }

  async #passGone({ number, entry }: { readonly number: number; readonly entry: AuditEntry }): Promise<void> {
    if (entry.sequence >= this.#firstKept)
      throw differs(number, `message ${entry.sequence} is not in the stream any more`)
    this.#gone += 1
    await this.step()
  }
}

function differs(line: number, detail: string): Error {
  return fault('AUDIT_DIFFERS', `line ${line}: ${detail}`, { issues: [{ line, detail }] })
}

async function firstSequence({ manager }: Connection, stream: string): Promise<number> {
  try {
    return (await manager.streams.info(stream)).state.first_seq
  } catch (error) {
    throw asFault(error, `reading stream ${stream}`)
  }
}
