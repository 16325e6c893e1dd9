import { fault } from '../error/millrace-error.js'
import { encodeEvent } from '../event/encode.js'
import type { EventDraft } from '../event/event.js'
import { encodeHeaderValue } from '../event/header-value.js'
import type { WireMessage } from '../event/wire.js'
import { idToken } from './aggregate-subject.js'
import { REPLY_ATTRIBUTE } from './outcome.js'

/** What the sender of a command adds to it. */
export interface CommandEnvelope {
  /** First token of the subjects of the command stream. */
  readonly root: string
  /** Of the command. Whoever repeats it gives the same one, so that it has one effect. */
  readonly id: string
  readonly source: string
  /** In milliseconds since the Unix epoch. */
  readonly time: number
  /** Inbox where the outcome is to be told; undefined: nobody asks. */
  readonly reply?: string | undefined
}

/** A command that is for an aggregate. */
export interface AddressedCommand {
  readonly id: string
  /** Of the aggregate. */
  readonly aggregate: string
  readonly message: WireMessage
}

/**
 * A command as it is published. The stream knows it again by its aggregate and its id together: one id may stand for the
 * two sides of a transfer, and neither is lost then.
 * @throws USAGE it is for no aggregate · AGGREGATE_ID_INVALID · EVENT_ENVELOPE_INVALID · EVENT_DATA_INVALID
 */
export function addressed(draft: EventDraft, envelope: CommandEnvelope): AddressedCommand {
  const { root, id, source, time, reply } = envelope
  const { key } = draft
  if (key === undefined) throw fault('USAGE', `${draft.type} has no key, and so is for no aggregate`)
  const token = idToken(key)
  const { headers, data } = encodeEvent({
    ...draft,
    id,
    source: draft.source ?? source,
    time: draft.time ?? time,
    attributes: reply === undefined ? draft.attributes : { ...draft.attributes, [REPLY_ATTRIBUTE]: reply },
  })
  headers.push(['Nats-Msg-Id', `${token} ${encodeHeaderValue(id)}`])
  return { id, aggregate: key, message: { subject: `${root}.${token}.${draft.type}`, headers, data } }
}
