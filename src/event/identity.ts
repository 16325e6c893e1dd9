import { fault } from '../error/millrace-error.js'
import { encodeHeaderValue } from './header-value.js'

/**
 * The value of `Nats-Msg-Id` for an event. CloudEvents makes only the pair of source and id unique, so both are in it,
 * percent-encoded with one space between them: neither half can hold a space, so two pairs never give one text.
 *
 * @throws EVENT_ENVELOPE_INVALID when either is empty or has an unpaired surrogate
 */
export function messageId(source: string, id: string): string {
  if (source === '' || id === '') throw fault('EVENT_ENVELOPE_INVALID', `${source === '' ? 'source' : 'id'} is empty`)
  return `${encodeHeaderValue(source)} ${encodeHeaderValue(id)}`
}

/**
 * The id of what a processor put out, from its cause alone: the same input gives the same id in every replay.
 * The last three parts are digits, so two causes never give one id, whatever the processor is called.
 *
 * @param sequence stream sequence of the message whose turn put it out
 * @param ordinal position among the outputs of that turn, from 0
 */
export function outputId(processor: string, partition: number, sequence: number, ordinal: number): string {
  return `${processor}-${partition}-${sequence}-${ordinal}`
}
