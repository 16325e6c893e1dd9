import { createHash } from 'node:crypto'

/** Frames of a stack that are looked at. */
const FRAMES = 3

/**
 * The same for failures of one kind, whatever event they met: made of the code, the first line of the detail without
 * what differs from event to event (numbers, ids, quoted texts), and the top frames of the stack without their places in
 * the files, which change with every edit.
 * @returns 12 hexadecimal digits
 */
export function fingerprint(code: string, detail: string, stack: string | undefined): string {
  const frames = (stack ?? '').split('\n').filter((line) => /^\s*at /.test(line))
  const text = [code, normalized(detail.split('\n')[0] ?? ''), ...frames.slice(0, FRAMES).map(frameOf)].join('\n')
  return createHash('sha256').update(text).digest('hex').slice(0, 12)
}

function normalized(line: string): string {
  return line
    .slice(0, 500)
    .replace(/"[^"]*"|'[^']*'|`[^`]*`/g, '""')
    .replace(/\b[0-9a-f]{8}-[0-9a-f-]{27}\b/gi, '#')
    .replace(/\b(?=[a-z]*\d)[\w-]*\d[\w-]*/gi, '#')
}

/** `at name (file:///a/b/c.ts:12:34)` becomes `name c.ts`. */
function frameOf(line: string): string {
  const [, name = '', file = ''] = /^\s*at (?:(.*?) \()?(.*?)(?::\d+){0,2}\)?$/.exec(line) ?? []
  return `${name} ${file.split(/[/\\]/).at(-1) ?? ''}`
}
