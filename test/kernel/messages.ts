// Messages and turns without a server, for tests of the kernel.
import type { StoredMessage } from '../../src/broker/stored-message.ts'
import { completeDraft } from '../../src/event/complete.ts'
import { encodeEvent } from '../../src/event/encode.ts'
import type { EventDraft } from '../../src/event/event.ts'
import type { HeaderReader, WireMessage } from '../../src/event/wire.ts'
import { APPENDIX_ENCODING, readAppendix } from '../../src/kernel/appendix.ts'
import type { CommitRecord } from '../../src/kernel/commit-record.ts'
import type { JournalEntry } from '../../src/kernel/decision.ts'
import { FNV_OFFSET } from '../../src/kernel/hash.ts'
import type { JournalSpan } from '../../src/kernel/journal-spans.ts'
import type { Commit } from '../../src/kernel/next-commit.ts'
import type { Turn } from '../../src/kernel/turn.ts'

export function headersOf(entries: readonly (readonly [string, string])[]): HeaderReader {
  return { get: (name) => entries.find(([key]) => key === name)?.[1], entries: () => entries }
}

/** A message as a consumer would deliver it. */
export function storedMessage(sequence: number, fields: Partial<StoredMessage> = {}): StoredMessage {
  return {
    subject: 't.0.order.paid',
    sequence,
    storedAt: sequence,
    delivery: 1,
    pending: 0,
    headers: headersOf([]),
    data: Buffer.from('{}'),
    reply: '',
    ...fields,
  }
}

/** A draft as it would be stored under a sequence; with `data` it holds other bytes than its own. */
export function storedDraft(draft: EventDraft, sequence: number, data?: string): StoredMessage {
  const event = completeDraft(draft, { id: `e${sequence}`, source: '/test', time: draft.time ?? sequence })
  const { headers, data: bytes } = encodeEvent(event)
  return storedMessage(sequence, {
    subject: `t.${sequence % 4}.${draft.type}`,
    storedAt: event.time,
    headers: headersOf(headers),
    data: data === undefined ? bytes : Buffer.from(data),
  })
}

export function outputMessage(text: string, subject = 'out.0.made'): WireMessage {
  return { subject, headers: [['ce-id', text]], data: Buffer.from(text) }
}

/** A turn with outputs `<sequence>-0`, `<sequence>-1` and so on. */
export function turnOf(sequence: number, outputs: number, fields: Partial<Turn> = {}): Turn {
  return {
    sequence,
    storedAt: sequence,
    message: storedMessage(sequence),
    decision: undefined,
    outputs: Array.from({ length: outputs }, (_, at) => outputMessage(`${sequence}-${at}`)),
    deadLetters: [],
    outputsBefore: 0,
    failuresBefore: 0,
    ...fields,
  }
}

export function freshRecord(fields: Partial<CommitRecord> = {}): CommitRecord {
  return {
    processor: 'pipeline-p',
    partition: 'all',
    partitions: 4,
    version: '1',
    stateVersion: '1',
    generation: 1,
    owner: 'test',
    inputCreated: '2026-01-01T00:00:00Z',
    position: 0,
    origin: 0,
    ticked: null,
    time: 0,
    ordinal: 0,
    failures: 0,
    partial: null,
    outputs: 0,
    hash: FNV_OFFSET,
    turns: 0,
    turnsToReplay: 0,
    deadLetters: 0,
    notices: {},
    snapshot: null,
    replayFrom: null,
    basis: null,
    stateFrom: null,
    journalFrom: null,
    parked: [],
    parkedBefore: [],
    restarts: 0,
    attempting: null,
    ...fields,
  }
}

/** The messages of a commit that are no messages of Millrace. */
export function outputsOf({ messages }: Pick<Commit, 'messages'>): readonly WireMessage[] {
  return messages.filter(({ subject }) => !subject.startsWith('millrace.'))
}

/** What commits have stored, under the sequences that a stream would give; each is followed by its record. */
export class Appended {
  readonly #messages: { readonly sequence: number; readonly message: WireMessage }[] = []
  /** Sequence of the last record. */
  last = 1

  store(messages: readonly WireMessage[]): void {
    for (const [at, message] of messages.entries()) this.#messages.push({ sequence: this.last + 1 + at, message })
    this.last += messages.length + 1
  }

  state(from: number | null): readonly (readonly unknown[])[] {
    return this.#read('state', from).flatMap(({ items }) => items as unknown[][])
  }

  journal(from: number | null): readonly JournalEntry[] {
    return this.#read('journal', from).flatMap(({ items }) => items as JournalEntry[])
  }

  /** As a recovery makes them. */
  spans(from: number | null): readonly JournalSpan[] {
    return this.#read('journal', from).map(({ sequence, items }) => ({
      from: sequence,
      lastAfter: (items.at(-1) as JournalEntry).after,
    }))
  }

  #read(
    what: string,
    from: number | null,
  ): readonly { readonly sequence: number; readonly items: readonly unknown[] }[] {
    if (from === null) return []
    return this.#messages
      .filter(({ sequence, message }) => sequence >= from && message.subject.startsWith(`millrace.OUT.${what}.`))
      .map(({ sequence, message: { subject, headers, data } }) => {
        const encoding = headers.find(([name]) => name === APPENDIX_ENCODING)?.[1]
        return { sequence, items: readAppendix(subject, encoding, data) }
      })
  }
}

export function textOf({ data }: Pick<WireMessage, 'data'>): string {
  return Buffer.from(data).toString()
}
