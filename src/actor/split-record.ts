import { fault } from '../error/millrace-error.js'

export interface RecordPart {
  readonly data: Uint8Array
  /** How many events there are up to its end. */
  readonly through: number
  readonly isLast: boolean
}

/**
 * Puts the events of a record into as few messages as it takes.
 * @param limits most bytes of a message; what the headers take that only the last one has
 * @throws MESSAGE_TOO_LARGE when an event does not fit into one, or those headers do not
 */
export function splitRecord(
  members: readonly string[],
  { most, last, subject }: { readonly most: number; readonly last: number; readonly subject: string },
): readonly RecordPart[] {
  const parts: { data: Uint8Array; through: number }[] = []
  let waiting: Uint8Array[] = []
  let size = 1
  const close = (through: number): void => {
    parts.push({ data: join(waiting, size), through })
    waiting = []
    size = 1
  }
  for (const [at, text] of members.entries()) {
    const member = Buffer.from(text)
    if (waiting.length > 0 && size + member.length + 1 > most) close(at)
    if (member.length + 2 > most)
      throw fault('MESSAGE_TOO_LARGE', `${subject}: an event of ${member.length} bytes, at most ${most}`)
    waiting.push(member)
    size += member.length + 1
  }
  if (last + 2 > most) throw fault('MESSAGE_TOO_LARGE', `${subject}: headers of ${last} bytes, at most ${most}`)
  // what was decided may need a message of its own
  if (waiting.length > 0 && size + last > most) close(members.length)
  close(members.length)
  return parts.map((part, at) => ({ ...part, isLast: at === parts.length - 1 }))
}

function join(members: readonly Uint8Array[], size: number): Uint8Array {
  if (members.length === 0) return Buffer.from('[]')
  const data = Buffer.allocUnsafeSlow(size)
  let at = 0
  for (const member of members) {
    data[at] = at === 0 ? 0x5b : 0x2c
    data.set(member, at + 1)
    at += 1 + member.length
  }
  data[at] = 0x5d
  return data
}
