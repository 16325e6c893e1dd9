import { encodedSize, encodeHeaders } from '../broker/headers.js'
import type { StreamDeclaration } from '../broker/define-stream.js'
import { fault, isFault, messageOf } from '../error/millrace-error.js'
import type { EventDraft } from '../event/event.js'
import { OutgoingEvent } from '../event/outgoing-event.js'
import { formatTime } from '../event/rfc3339.js'
import { publishSubject } from '../event/subject.js'
import type { WireMessage } from '../event/wire.js'
import { deadLetterMessage } from '../kernel/dead-letter.js'
import { scheduleId, type ScheduleDeclaration, type Tick } from './schedule-options.js'

/** Most events of a tick: its batch has the position beside them. */
const MOST_EVENTS = 900
/** What a batch adds to the headers of a message, with room to spare. */
const BATCH_HEADERS = 512

/**
 * The events of a tick. Their ids are made of schedule, nominal time and place, so they are the same whoever makes them.
 * @throws SCHEDULE_EMITS_INVALID, EVENT_DATA_INVALID and others of a contract, MESSAGE_TOO_LARGE; what `emits` throws
 */
export function tickMessages(
  { name, events, emits }: ScheduleDeclaration,
  { root }: StreamDeclaration,
  tick: Tick,
  maxPayload: number,
): readonly WireMessage[] {
  const emitted = emits(tick)
  const drafts: readonly EventDraft[] =
    emitted === undefined || emitted === null ? [] : Array.isArray(emitted) ? emitted : [emitted as EventDraft]
  if (drafts.length > MOST_EVENTS)
    throw fault('SCHEDULE_EMITS_INVALID', `${name}: ${drafts.length} events of one tick, at most ${MOST_EVENTS}`)
  return drafts.map((draft, ordinal) => {
    const contract = events.find(({ type }) => type === draft?.type)
    if (contract === undefined) throw fault('SCHEDULE_EMITS_INVALID', `${name}: ${String(draft?.type)} is not declared`)
    const checked = contract.check(draft.data, draft.version)
    if (!checked.ok) throw fault(checked.code, checked.detail, { issues: checked.issues })
    const completion = { id: tickEventId(name, tick, ordinal), source: `/schedules/${name}`, time: tick.at }
    const out = new OutgoingEvent(draft, completion, root)
    const size = encodedSize(encodeHeaders(out.headers)) + out.data.length + BATCH_HEADERS
    if (size > maxPayload) throw fault('MESSAGE_TOO_LARGE', `${name}: ${size} bytes, at most ${maxPayload}`)
    return { subject: out.subject, headers: out.headers, data: out.data }
  })
}

/** The id of an event of a tick, where it has none of its own. */
export function tickEventId(name: string, { time }: Pick<Tick, 'time'>, ordinal: number): string {
  return `${name}-${time}-${ordinal}`
}

/** The dead letter of a tick whose events cannot be made. It names the schedule in the place of a stream, and the nominal time in that of a sequence. */
export function letterOfTick(
  { name }: ScheduleDeclaration,
  { root }: StreamDeclaration,
  tick: Tick,
  error: unknown,
  maxPayload: number,
): WireMessage {
  const id = scheduleId(name)
  const message = {
    subject: publishSubject(root, undefined, `schedule.${name}`),
    sequence: tick.at,
    storedAt: tick.at,
    headers: { get: () => undefined, entries: () => [] },
    data: Buffer.from(JSON.stringify(tick)),
  }
  const known = isFault(error) ? error : undefined
  const reason = {
    processor: id,
    code: known?.code ?? 'SCHEDULE_EMITS_FAILED',
    detail: known?.detail ?? messageOf(error),
    issues: known?.issues ?? [],
    ...(error instanceof Error && error.stack !== undefined ? { stack: error.stack } : {}),
  }
  return deadLetterMessage(id, message, reason, maxPayload)
}

export function tickOf(
  schedule: string,
  { nominal, missed }: { readonly nominal: number; readonly missed: number },
  previous: number | undefined,
): Tick {
  return { schedule, at: nominal, time: formatTime(nominal), previous, missed }
}
