// The streams of the model: an output stream that takes fenced batches whole or not at all, and keeps what a real one
// keeps; a stream of dead letters.
import { ROLLUP_SUBJECT } from '../../src/broker/batch.ts'
import { journalSubject } from '../../src/broker/system-subject.ts'
import type { WireMessage } from '../../src/event/wire.ts'
import { APPENDIX_ENCODING, readAppendix, type AppendixPart } from '../../src/kernel/appendix.ts'
import type { CommitRecord } from '../../src/kernel/commit-record.ts'
import type { JournalEntry } from '../../src/kernel/decision.ts'
import { processorId, type Processor } from '../../src/kernel/processor.ts'
import type { AppendixStart } from '../../src/kernel/restore-memory.ts'

interface Kept {
  readonly sequence: number
  readonly message: WireMessage
}

/** Partition of every unit of the model. */
export const PARTITION = 'all'

export class Out {
  readonly stored: WireMessage[] = []
  readonly #bySubject = new Map<string, Kept[]>()
  /** Subject and reason of each dead letter. */
  readonly #dead = new Map<string, string>()

  last(subject: string): { readonly sequence: number; readonly data: Uint8Array } | undefined {
    const kept = this.#bySubject.get(subject)?.at(-1)
    return kept === undefined ? undefined : { sequence: kept.sequence, data: kept.message.data }
  }

  /** All or nothing; undefined when the last message of `fence` is not the expected one. */
  batch(messages: readonly WireMessage[], fence: string, expected: number | undefined): number | undefined {
    if (expected !== undefined && (this.last(fence)?.sequence ?? 0) !== expected) return undefined
    for (const message of messages) {
      this.stored.push(message)
      const kept = message.headers.includes(ROLLUP_SUBJECT) ? [] : (this.#bySubject.get(message.subject) ?? [])
      kept.push({ sequence: this.stored.length, message })
      this.#bySubject.set(message.subject, kept)
    }
    return this.stored.length
  }

  /** Stores a dead letter, if there is none under its subject. */
  bury(subject: string, reason: string): void {
    if (!this.#dead.has(subject)) this.#dead.set(subject, reason)
  }

  /** Lists of an appendix from a sequence on, up to another. */
  parts(start: AppendixStart | undefined, to = Infinity): AppendixPart[] {
    if (start === undefined) return []
    const kept = this.#bySubject.get(start.subject) ?? []
    return kept
      .filter(({ sequence }) => sequence >= start.from && sequence <= to)
      .map(({ sequence, message: { subject, headers, data } }) => {
        const encoding = headers.find(([name]) => name === APPENDIX_ENCODING)?.[1]
        return { sequence, items: readAppendix(subject, encoding, data) }
      })
  }

  chunks(subject: (chunk: number) => string, { snapshot }: CommitRecord): Uint8Array[] {
    return Array.from({ length: snapshot?.chunks ?? 0 }, (_, chunk) => {
      const last = this.last(subject(chunk))
      if (last === undefined) throw new Error(`chunk ${chunk} is missing`)
      return last.data
    })
  }

  /** Every decision that was ever stored, in order. */
  journal(processor: Processor): JournalEntry[] {
    const subject = journalSubject(processor.to.stream.name, processorId(processor), PARTITION)
    return this.parts({ subject, from: 0, version: '' }).flatMap(({ items }) => items as JournalEntry[])
  }

  /** What readers of the stream see: the outputs with their ids and all else that is said of them, in order. */
  outputs(): string[] {
    return this.stored.filter(({ subject }) => !subject.startsWith('millrace.')).map(describe)
  }

  get deadLetters(): ReadonlyMap<string, string> {
    return this.#dead
  }
}

export function describe({ subject, headers, data }: WireMessage): string {
  const said = headers.filter(([name]) => name.startsWith('ce-')).map((header) => header.join('='))
  return [subject, ...said, Buffer.from(data).toString()].join(' ')
}
