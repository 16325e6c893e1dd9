// Messages and turns without a server, for tests of the kernel.
import type { StoredMessage } from '../../src/broker/stored-message.ts'
import { completeDraft } from '../../src/event/complete.ts'
import { encodeEvent } from '../../src/event/encode.ts'
import type { EventDraft } from '../../src/event/event.ts'
import type { HeaderReader, WireMessage } from '../../src/event/wire.ts'
import type { CommitRecord } from '../../src/kernel/commit-record.ts'
import { FNV_OFFSET } from '../../src/kernel/hash.ts'
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
    restarts: 0,
    attempting: null,
    ...fields,
  }
}

export function textOf({ data }: Pick<WireMessage, 'data'>): string {
  return Buffer.from(data).toString()
}
