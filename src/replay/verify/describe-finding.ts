import type { WireMessage } from '../../event/wire.js'
import { changedMembers, compare, viewOf, type ChangedMember, type Different } from './difference.js'
import type { Finding } from './finding.js'

/** Members that are shown of one difference. */
const SHOWN = 6
/** Characters of one value. */
const LONGEST = 160

/** A finding in lines, for a person: where, what, and both sides of it. */
export function describeFinding({ trial, difference }: Finding, items: number): readonly string[] {
  const { sequence, what } = difference
  return [...headline(trial, difference.item, items), ...details(what, sequence)]
}

function headline(trial: Finding['trial'], item: number, items: number): string[] {
  switch (trial.kind) {
    case 'first':
      return ['it cannot be run over this input']
    case 'repeat':
      return [`run twice over the same input, without a crash, it is not the same at item ${item + 1} of ${items}`]
    case 'crash':
      return [`crashed after item ${trial.after + 1} of ${items} and recovered, it is not the same at item ${item + 1}`]
    case 'chain':
      return [`crashed again and again, it is not the same at item ${item + 1} of ${items}`]
  }
}

function details(what: Different, sequence: number): string[] {
  const place = sequence === 0 ? 'before the first message' : `sequence ${sequence}`
  switch (what.kind) {
    case 'output':
      return [`the first output that differs, of ${place}:`, ...outputs(what.expected, what.found)]
    case 'dead-letters':
      return [`other dead letters of ${place}:`, `- ${what.expected || 'none'}`, `+ ${what.found || 'none'}`]
    case 'state': {
      const changed: ChangedMember[] = []
      compare('', what.expected, what.found, changed)
      return [`no output differs yet, but ${what.of} does, after ${place}:`, ...members(changed)]
    }
    case 'waits':
      return [`${place} waits for a step that it did not wait for before: ${what.steps.join(', ')}`]
    case 'stopped':
      return [`it stopped at ${place}: ${what.error.code}`]
    case 'not-plain':
      return [`after ${place} its state cannot be stored as it is: ${what.of} is ${what.why}`]
  }
}

/** `-` is the uninterrupted run, `+` the other one. */
function outputs(expected: WireMessage | undefined, found: WireMessage | undefined): string[] {
  if (expected === undefined || found === undefined) return [`- ${whole(expected)}`, `+ ${whole(found)}`]
  const changed = changedMembers(expected, found)
  const { id, type } = viewOf(expected)
  const same = changed.some(({ path }) => path === 'id') ? [] : [`  ${String(type)} ${String(id)}`]
  return [...same, ...members(changed)]
}

function whole(output: WireMessage | undefined): string {
  if (output === undefined) return 'nothing'
  const { type, id, key, data } = viewOf(output)
  return short({ id, type, key, data })
}

function members(changed: readonly ChangedMember[]): string[] {
  const lines = changed.slice(0, SHOWN).flatMap(({ path, expected, found }) => {
    const name = path === '' ? '' : `${path} `
    return [`- ${name}${short(expected)}`, `+ ${name}${short(found)}`]
  })
  return changed.length <= SHOWN ? lines : [...lines, `  and ${changed.length - SHOWN} more`]
}

function short(value: unknown): string {
  const text = JSON.stringify(value) ?? 'nothing'
  return text.length <= LONGEST ? text : `${text.slice(0, LONGEST)}…`
}
