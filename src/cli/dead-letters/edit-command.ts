import { dataChanges, setPath, type DataChange } from '../../delivery/letters/edit-data.js'
import { payloadOf } from '../../delivery/letters/dead-letter.js'
import { openLetter, readLetterEvent } from '../../delivery/letters/letter-event.js'
import { fault } from '../../error/millrace-error.js'
import type { CliContext } from '../context.js'
import { jsonArgument } from '../input/json-argument.js'
import { printJson } from '../json.js'
import { LetterDesk } from './letter-desk.js'

export interface EditFlags {
  /** JSON, `@file` or `@-`. */
  readonly data?: string
  /** `path=value`, the value as JSON or as text. */
  readonly set?: readonly string[]
  readonly dryRun?: boolean
}

/**
 * Changes the data of a dead letter’s event, for when it is redriven. The letter stays as it is, and former edits too.
 * @throws USAGE, DEAD_LETTER_NOT_FOUND, LETTER_CLOSED, LETTER_EDIT_INVALID, LETTER_PAYLOAD_GONE, LETTER_BUSY; what reading
 *   the declarations throws, errors of the broker
 */
export async function editCommand(context: CliContext, number: number, flags: EditFlags): Promise<void> {
  const { data, set = [] } = flags
  if ((data === undefined) === (set.length === 0)) throw fault('USAGE', 'say --data, or --set path=value, not both')
  const desk = await LetterDesk.open(context)
  const letter = await desk.load(number)
  if (letter === undefined) throw fault('DEAD_LETTER_NOT_FOUND', `number ${number}`)
  const record = await desk.records.read(number)
  if (record.state !== 'open') throw fault('LETTER_CLOSED', `number ${number}: ${record.state}`)
  if (letter.events > 1) throw fault('LETTER_EDIT_INVALID', `number ${number} is a pack of ${letter.events} events`)
  if (/^\s*application\/cloudevents/i.test(contentType(letter.headers)))
    throw fault('LETTER_EDIT_INVALID', `number ${number} has its attributes in the payload`)
  const event = await readLetterEvent(desk.connection, desk.records, letter, record.edits)
  const payload = payloadOf(event.data)
  const before = 'json' in payload ? payload.json : undefined
  const after = data === undefined ? applySets(before, set) : await jsonArgument(context, '--data', data)
  const edited = { ...event, data: Buffer.from(JSON.stringify(after)) }
  const { registry } = await desk.deployment()
  const opened = openLetter(registry, letter, edited)
  if (opened?.kind !== 'event')
    throw fault('LETTER_EDIT_INVALID', `number ${number}: ${opened?.detail ?? 'no event'}`, {
      issues: opened?.issues ?? [],
    })
  const changes = dataChanges(before, after)
  const writes = flags.dryRun !== true && changes.length > 0
  if (writes) {
    await desk.prepare()
    await desk.records.edit(number, record, edited.data)
  }
  tell(context, number, changes, { writes, edits: record.edits + (writes ? 1 : 0) })
}

function tell(
  context: CliContext,
  number: number,
  changes: readonly DataChange[],
  { writes, edits }: { readonly writes: boolean; readonly edits: number },
): void {
  if (context.json) return printJson(context, { number, edits, edited: writes, changes })
  const { out, err } = context
  const text = (value: unknown): string => JSON.stringify(value)
  for (const { pointer, before, after } of changes) {
    if (before !== undefined) out.line(out.style('red', `- ${pointer} ${text(before)}`))
    if (after !== undefined) out.line(out.style('green', `+ ${pointer} ${text(after)}`))
  }
  if (changes.length === 0) out.line('nothing changes')
  else if (writes)
    err.line(`edit ${edits} of letter ${number} is kept; send it back: millrace dead-letters redrive ${number}`)
  else err.line('nothing was kept')
}

/** @throws USAGE, LETTER_EDIT_INVALID */
function applySets(data: unknown, sets: readonly string[]): unknown {
  let changed = data
  for (const text of sets) {
    const at = text.indexOf('=')
    if (at < 1) throw fault('USAGE', `--set ${JSON.stringify(text)}: write path=value`)
    changed = setPath(changed, text.slice(0, at), valueOf(text.slice(at + 1)))
  }
  return changed
}

function valueOf(text: string): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch {
    return text // a text needs no quotes
  }
}

function contentType(headers: readonly (readonly [string, string])[]): string {
  return headers.find(([name]) => name.toLowerCase() === 'content-type')?.[1] ?? ''
}
