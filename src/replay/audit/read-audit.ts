import { fault, type MillraceError } from '../../error/millrace-error.js'
import { hashOfLine, type AuditEntry, type AuditHeader } from './audit-line.js'

/** A line of a file. */
export interface NumberedLine {
  readonly number: number
  readonly text: string
}

/** What is read of an export, line by line. */
export interface AuditPart {
  readonly number: number
  readonly header: AuditHeader
  /** Undefined for the first line. */
  readonly entry: AuditEntry | undefined
}

/** What an export came to. */
export interface AuditSummary {
  readonly header: AuditHeader
  readonly messages: number
  /** Hash of the last line. */
  readonly hash: string
}

/**
 * Reads an export, and checks each line against the one before.
 * @throws AUDIT_BROKEN with the first line that is wrong
 */
export async function* readAudit(lines: AsyncIterable<NumberedLine>): AsyncGenerator<AuditPart, AuditSummary> {
  let header: AuditHeader | undefined
  let [before, hash, messages, sequence] = [0, '', 0, 0]
  let ended = false
  for await (const { number, text } of lines) {
    if (ended) throw broken(number, 'it comes after the end')
    const line = parse(number, text)
    if (header === undefined) {
      header = readHeader(number, line)
      yield { number, header, entry: undefined }
    } else {
      if (line['prev'] !== hash)
        throw broken(
          before,
          `it was changed, or lines after it were added or taken out: line ${number} has another hash`,
        )
      if (line['end'] === true) ended = true
      else {
        const entry = readEntry(number, line)
        if (entry.sequence <= sequence || entry.sequence > header.last || entry.sequence < header.first)
          throw broken(number, `sequence ${entry.sequence} after ${sequence}, of ${header.first} to ${header.last}`)
        ;[sequence, messages] = [entry.sequence, messages + 1]
        yield { number, header, entry }
      }
      if (ended && line['messages'] !== messages)
        throw broken(number, `there are ${messages} messages, and it says ${String(line['messages'])}`)
    }
    ;[before, hash] = [number, hashOfLine(text)]
  }
  if (header === undefined) throw broken(1, 'there is nothing')
  if (!ended) throw broken(before, 'its end is missing after it')
  return { header, messages, hash }
}

function parse(number: number, text: string): Readonly<Record<string, unknown>> {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (cause) {
    throw broken(number, 'it is not JSON', cause)
  }
  if (typeof value === 'object' && value !== null) return value as Record<string, unknown>
  throw broken(number, 'it is no object')
}

function readHeader(number: number, line: Readonly<Record<string, unknown>>): AuditHeader {
  const { audit, stream, created, subject, first, last } = line
  const isHeader = audit === 1 && [stream, created, subject].every((one) => typeof one === 'string')
  if (!isHeader || ![first, last].every(Number.isSafeInteger)) throw broken(number, 'it does not begin an audit export')
  return line as unknown as AuditHeader
}

function readEntry(number: number, line: Readonly<Record<string, unknown>>): AuditEntry {
  const { sequence, storedAt, subject, headers } = line
  const isEntry = Number.isSafeInteger(sequence) && typeof storedAt === 'string' && typeof subject === 'string'
  if (!isEntry || !Array.isArray(headers)) throw broken(number, 'it is no message')
  return line as unknown as AuditEntry
}

function broken(line: number, detail: string, cause?: unknown): MillraceError {
  return fault('AUDIT_BROKEN', `line ${line}: ${detail}`, { cause, issues: [{ line, detail }] })
}
