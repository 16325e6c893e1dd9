// The events of a request, by its type of content. Pure.
// Sources: CloudEvents HTTP protocol binding 1.0, sections 3.1 to 3.3; application/x-ndjson.
import { CATALOGUE } from '../../error/catalogue.js'
import { fault, isFault, type Issue, type MillraceError } from '../../error/millrace-error.js'
import type { WireMessage } from '../../event/wire.js'
import { asInputFault, parseInput, textOf, type SourceMessages } from '../source/source-message.js'

export interface RequestBody {
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly body: Uint8Array
  readonly mostEvents: number
  /** In ms since the Unix epoch. */
  readonly now: number
  /** For the event of that place in the request which has no id. */
  readonly idOf: (at: number) => string
}

/**
 * All events of a request, or why none is stored: each that is wrong, with a pointer.
 * @throws SOURCE_TYPE_UNSUPPORTED, SOURCE_REQUEST_TOO_LARGE, SOURCE_INPUT_INVALID, EVENT_DATA_INVALID and others of contracts
 */
export function readEvents(messages: SourceMessages, request: RequestBody): readonly WireMessage[] {
  const { headers, body, mostEvents, now, idOf } = request
  const type = one(headers['content-type'])?.split(';')[0]?.trim().toLowerCase() ?? ''
  if (headers['ce-type'] !== undefined || headers['ce-id'] !== undefined) {
    if (!/^application\/([^/]*\+)?json$/.test(type)) throw unsupported(type)
    return [messages.ofMessage(readerOf(headers), body, { id: idOf(0), time: now })]
  }
  const [records, many] = recordsOf(type, body)
  if (records.length > mostEvents)
    throw fault('SOURCE_REQUEST_TOO_LARGE', `${records.length} events, at most ${mostEvents}`)
  const [read, faults]: [WireMessage[], (readonly [at: number, error: MillraceError])[]] = [[], []]
  for (const [at, record] of records.entries())
    try {
      read.push(
        messages.ofRecord(typeof record === 'string' && many ? parseInput(record) : record, {
          id: idOf(at),
          time: now,
        }),
      )
    } catch (error) {
      faults.push([at, asInputFault(error)])
    }
  const [first] = faults
  if (first === undefined) return read
  if (!many) throw first[1]
  throw fault(first[1].code, `${faults.length} of ${records.length} events`, { issues: faults.flatMap(issuesOf) })
}

function recordsOf(type: string, body: Uint8Array): readonly [records: readonly unknown[], many: boolean] {
  switch (type) {
    case 'application/cloudevents+json':
      return [[parseInput(textOf(body))], false]
    case 'application/json':
    case 'application/cloudevents-batch+json': {
      const value = parseInput(textOf(body))
      if (Array.isArray(value)) return [value, true]
      if (type !== 'application/json') throw fault('SOURCE_INPUT_INVALID', 'a batch is an array')
      return [[value], false]
    }
    case 'application/x-ndjson':
    case 'application/jsonl':
      return [
        textOf(body)
          .split('\n')
          .filter((line) => line.trim() !== ''),
        true,
      ]
    default:
      throw unsupported(type)
  }
}

function issuesOf([at, error]: readonly [at: number, error: MillraceError]): Issue[] {
  if (error.issues.length === 0) return [{ pointer: `/${at}`, detail: error.detail, code: error.code }]
  return error.issues.map((issue) => ({ ...issue, pointer: `/${at}${issue.pointer ?? ''}` }))
}

function unsupported(type: string): MillraceError {
  return fault('SOURCE_TYPE_UNSUPPORTED', type === '' ? 'the request has no Content-Type' : type)
}

/** Binary mode has the type of the data in Content-Type; it is JSON by then. */
function readerOf(headers: RequestBody['headers']) {
  const entries = Object.entries(headers).flatMap(([name, value]) =>
    name.startsWith('ce-') && value !== undefined ? [[name, String(value)] as const] : [],
  )
  return { get: (name: string) => entries.find(([own]) => own === name.toLowerCase())?.[1], entries: () => entries }
}

function one(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? value[0] : value
}

/** A problem document. Source: RFC 9457. */
export function problemOf(error: unknown): { readonly status: number; readonly body: object; readonly after?: string } {
  const known = isFault(error) ? error : fault('EDGE_FAILED', 'the request failed')
  const { code, detail, issues, status } = known
  // what the broker says of itself is that it does not take anything now
  const waits = known.disposition === 'retry' && status >= 500
  const shown = waits ? 503 : status
  const errors = issues.map((issue) => ({ pointer: issue.pointer ?? '', detail: issue.detail }))
  const body = { type: `urn:millrace:error:${code}`, title: CATALOGUE[code].means, status: shown, code, detail }
  return { status: shown, body: errors.length === 0 ? body : { ...body, errors }, ...(waits ? { after: '1' } : {}) }
}
