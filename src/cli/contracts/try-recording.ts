import { messageOf } from '../../error/millrace-error.js'
import { openEnvelope } from '../../event/decode-event.js'
import type { Registry } from '../../event/registry.js'
import { completeMembers } from '../../event/short-form.js'
import { readStructuredObject } from '../../event/structured.js'
import type { CliContext } from '../context.js'
import { readLines } from '../input/lines.js'
import { openInput } from '../input/open-input.js'

/** What became of the events of a recording when the code read them. */
export interface TriedRecording {
  readonly file: string
  /** Those that were read. */
  readonly events: number
  /** Those of types that are not declared. */
  readonly others: number
  readonly problems: readonly { readonly line: number; readonly code: string; readonly detail: string }[]
}

/** Most problems that are told of one recording. */
const MOST = 20

/** Reads recorded events as a processor would: envelope, contract, upcasters, schema. @throws INPUT_UNREADABLE */
export async function tryRecording(
  context: Pick<CliContext, 'input' | 'signal'>,
  registry: Registry,
  file: string,
): Promise<TriedRecording> {
  const problems: { line: number; code: string; detail: string }[] = []
  let events = 0
  let others = 0
  for await (const lines of readLines((await openInput(context, file)).chunks()))
    for (const each of lines) {
      const { number: line } = each
      const tried = each.kind === 'line' ? tryLine(each.text, line, registry) : broken(each.problem)
      if (tried === 'read') events += 1
      else if (tried === 'other') others += 1
      else if (problems.length < MOST) problems.push({ line, ...tried })
    }
  return { file, events, others, problems }
}

function broken(detail: string): { code: string; detail: string } {
  return { code: 'EVENT_ENVELOPE_INVALID', detail }
}

function tryLine(text: string, line: number, registry: Registry): 'read' | 'other' | { code: string; detail: string } {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    return broken(`it is not JSON: ${messageOf(error)}`)
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return broken('it is not a JSON object')
  const defaults = { id: () => `line-${line}`, source: '/millrace/recording', time: 0 }
  const read = readStructuredObject(completeMembers(value as Record<string, unknown>, registry, defaults))
  if (read.kind === 'rejected') return { code: read.code, detail: read.detail }
  if (registry.get(read.envelope.type) === undefined) return 'other'
  const opened = openEnvelope(registry, read.envelope, {
    stream: '',
    sequence: line,
    storedAt: read.envelope.time ?? 0,
  })
  return opened.kind === 'rejected' ? { code: opened.code, detail: opened.detail } : 'read'
}
