import type { HistoryEntry } from '../../actor/history.js'
import type { StateChange } from '../../actor/state-changes.js'
import { formatTime } from '../../event/rfc3339.js'
import { partitionOfAggregate } from '../../actor/aggregate-subject.js'
import type { Output } from '../output.js'
import { count } from '../table.js'
import type { Found } from './actor-at.js'
import type { DiffStep } from './show-command.js'

/** @param fired timers that have fired, and whose commands are not decided */
export function printAggregate(
  out: Output,
  { place, actor, stream, known }: Found,
  fired: readonly string[],
  last?: HistoryEntry,
): void {
  const fact = (name: string, value: string): void =>
    out.line(`  ${out.style('gray', name.padEnd(10))} ${printable(value)}`)
  out.line(out.style('bold', printable(`${actor.name} ${JSON.stringify(place.id)}, version ${count(known.version)}`)))
  const partition = partitionOfAggregate(place.id, stream.partitions)
  fact('stream', `${stream.name}, partition ${partition}`)
  if (last !== undefined) {
    fact('decided', `${formatTime(last.storedAt)}, sequence ${count(last.sequence)}`)
    fact('command', commandOf(last))
    if (last.rejected !== undefined) fact('', `rejected: ${last.rejected.code}: ${last.rejected.message}`)
  }
  const { frame } = known
  if (frame?.z === true) fact('closed', 'it takes no more commands')
  if (frame?.a !== undefined) fact('archived', `${frame.a.f}: ${count(frame.a.n)} records; no state is left`)
  for (const [name, setting] of Object.entries(frame?.t ?? {}))
    fact('timer', `${name} ${dueText(setting)}${fired.includes(name) ? FIRED : ''}`)
  for (const step of listOf(frame?.o)) fact('step', typeof step === 'string' ? step : JSON.stringify(step))
  out.line(out.style('bold', 'state'))
  out.line(indent(JSON.stringify(known.state, undefined, 2)))
}

/** What each event changed. */
export function printSteps(out: Output, steps: readonly DiffStep[]): void {
  out.line(out.style('bold', 'changes'))
  for (const { entry, event, version, changes } of steps) {
    const head = `${out.style('bold', count(version))}  ${formatTime(event.time)}  ${out.style('cyan', event.type)}`
    out.line(`  ${head}  ${out.style('gray', printable(`by ${commandOf(entry)}`))}`)
    for (const change of changes) out.line(`     ${changeLine(out, change)}`)
    if (changes.length === 0) out.line(`     ${out.style('gray', 'the state stays as it was')}`)
  }
}

/** A command as people look for it: its id, and where it is. */
export function commandOf({ commandId, commandSequence, correlationId }: HistoryEntry): string {
  const place = commandSequence === undefined ? '' : `, command ${count(commandSequence)}`
  return `${commandId}${place}${correlationId === undefined ? '' : `, correlation ${correlationId}`}`
}

function changeLine(out: Output, change: StateChange): string {
  const path = change.path === '' ? 'state' : printable(change.path)
  switch (change.kind) {
    case 'added':
      return out.style('green', `+ ${path}: ${short(change.after)}`)
    case 'removed':
      return out.style('red', `- ${path}: ${short(change.before)}`)
    case 'changed':
      return out.style('yellow', `~ ${path}: ${short(change.before)} → ${short(change.after)}`)
  }
}

const LONGEST = 120
const FIRED = ', fired: its command is not decided; it comes, or is parked or a dead letter'

function short(value: unknown): string {
  const text = printable(JSON.stringify(value) ?? '')
  return text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text
}

/** When a timer is due, which its setting begins with. */
function dueText(setting: string): string {
  const due = Number.parseInt(setting, 36)
  return Number.isFinite(due) && due > 0 && due < 253_402_300_799_999 ? `due ${formatTime(due)}` : setting
}

function listOf(open: unknown): readonly unknown[] {
  if (open === undefined || open === null) return []
  return Array.isArray(open) ? open : [open]
}

function indent(text: string): string {
  return text
    .split('\n')
    .map((line) => `  ${printable(line)}`)
    .join('\n')
}

/** Stored text must not drive the terminal. */
export function printable(text: string): string {
  // oxlint-disable-next-line no-control-regex -- control characters are what it is about
  return text.replace(/[\u0000-\u001f\u007f-\u009f]/g, '\ufffd')
}
