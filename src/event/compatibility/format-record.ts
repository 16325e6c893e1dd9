import type { ContractsRecord } from './contract-record.js'

const WIDTH = 110

/**
 * A record as a file: a field of the data is a line wherever it fits, so that a change to a field is a change to a line,
 * and the same record is the same text.
 */
export function formatRecord(record: ContractsRecord): string {
  return `${formatted(record, 0, '')}\n`
}

const FIELDS = '"properties": '

function formatted(value: unknown, depth: number, label: string): string {
  const line = inLine(value)
  // a schema is never one line: each of its fields is
  const isSmall = label !== FIELDS && !(typeof value === 'object' && value !== null && 'properties' in value)
  if (isSmall && depth > 1 && depth * 2 + label.length + line.length <= WIDTH) return line
  if (typeof value !== 'object' || value === null) return line
  const [open, close] = Array.isArray(value) ? ['[', ']'] : ['{', '}']
  const parts = Array.isArray(value)
    ? value.map((item) => formatted(item, depth + 1, ''))
    : Object.entries(value).map(([name, part]) => {
        const own = `${JSON.stringify(name)}: `
        return `${own}${formatted(part, depth + 1, own)}`
      })
  if (parts.length === 0) return `${open}${close}`
  const indent = '  '.repeat(depth + 1)
  return `${open}\n${parts.map((part) => `${indent}${part}`).join(',\n')}\n${'  '.repeat(depth)}${close}`
}

function inLine(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(inLine).join(', ')}]`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  const parts = Object.entries(value).map(([name, part]) => `${JSON.stringify(name)}: ${inLine(part)}`)
  return parts.length === 0 ? '{}' : `{ ${parts.join(', ')} }`
}
