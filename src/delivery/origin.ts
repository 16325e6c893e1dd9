import { decodeHeaderValue, encodeHeaderValue } from '../event/header-value.js'

/** Where an event came from in the first place, however often it was put off since. */
export interface Origin {
  readonly stream: string
  readonly sequence: number
  /** Its place in the pack that it came in, from 0. Undefined: it was alone. */
  readonly member: number | undefined
  readonly subject: string
  /** In ms since the Unix epoch. */
  readonly storedAt: number
}

export const ORIGIN_HEADER = 'Millrace-Origin'

/** What tells an origin from others of the same stream; a part of subjects. */
export function originToken({ sequence, member }: Pick<Origin, 'sequence' | 'member'>): string {
  return member === undefined ? String(sequence) : `${sequence}.${member}`
}

/**
 * Where an event waits for an attempt, and is due. Each generation has a place of its own: a process that was frozen
 * while its event became a dead letter, and puts it off when it wakes up, must not take the place of what was redriven.
 */
export function placeToken(origin: Pick<Origin, 'sequence' | 'member'>, generation: number): string {
  return generation === 0 ? originToken(origin) : `${originToken(origin)}.g${generation}`
}

export function writeOrigin({ stream, sequence, member, subject, storedAt }: Origin): string {
  return [encodeHeaderValue(stream), sequence, member ?? '-', storedAt, encodeHeaderValue(subject)].join(' ')
}

/** Undefined for what nobody of ours has written. */
export function readOrigin(text: string | undefined): Origin | undefined {
  const [, stream, sequence, member, storedAt, subject] =
    /^(\S+) (\d{1,16}) (-|\d{1,9}) (\d{1,16}) (\S+)$/.exec(text ?? '') ?? []
  if (stream === undefined || subject === undefined) return undefined
  return {
    stream: decodeHeaderValue(stream) ?? stream,
    sequence: Number(sequence),
    member: member === '-' ? undefined : Number(member),
    subject: decodeHeaderValue(subject) ?? subject,
    storedAt: Number(storedAt),
  }
}
