// docs/errors.md as a pure function of the error catalogue.
import type { Disposition, ErrorEntry } from '../../src/error/disposition.ts'
import { EXIT } from '../../src/error/exit-code.ts'

export type Catalogue = Readonly<Record<string, ErrorEntry>>

const DISPOSITIONS: Readonly<Record<Disposition, string>> = {
  retry: 'the same work may succeed later, and is tried again where that is safe',
  'dead-letter': 'this message can never succeed as it is: it is kept with its reason, and the rest goes on',
  crash: 'the processor or process stops: a human has to act',
  reject: 'the request is refused, and nothing was changed',
}

const EXITS: Readonly<Record<keyof typeof EXIT, string>> = {
  ok: 'it worked',
  failure: 'it failed; the error says why',
  usage: 'the command line, a setting or a file that was given cannot be used',
  notFound: 'what was named does not exist',
  connection: 'no NATS server can be reached, or not one that Millrace can work with',
  check: 'a check found something',
  conflict: 'something else is in the way: another owner, a drifted stream, a taken port',
  rejected: 'an actor refused the command, for a reason of its domain',
  unknown: 'what became of a command is not known: it may have its effect yet',
  interrupted: 'Ctrl-C; the last line says where to go on',
}

const PROSE = `# Errors

Every error of Millrace has a code. This file has all of them; a test compares it with the catalogue in
\`src/error/codes/\`, so it is complete. It is generated: change the catalogue, then run \`npm run docs\`.

On the command line an error ends with its exit code, prints what it means, the particulars and the advice to standard
error, and with \`--json\` the same as one JSON object. \`--verbose\` adds the stack and every cause.
`

export function renderErrors(catalogue: Catalogue): string {
  const codes = Object.entries(catalogue).sort(([one], [other]) => (one < other ? -1 : 1))
  return [
    PROSE,
    '## What the runtime does about it\n',
    table(['Disposition', 'What happens'], Object.entries(DISPOSITIONS)),
    '## Exit codes\n',
    table(
      ['Exit', 'What it says'],
      Object.entries(EXIT).map(([name, exit]) => [String(exit), EXITS[name as keyof typeof EXIT]]),
    ),
    '## Codes\n',
    table(
      ['Code', 'What it means', 'What to do', 'Disposition', 'Exit', 'HTTP'],
      codes.map(([code, entry]) => row(code, entry)),
    ),
  ].join('\n')
}

function row(code: string, entry: ErrorEntry): string[] {
  const { means, advice, disposition, exit, status } = entry
  return [`\`${code}\``, means, advice, disposition, String(exit), String(status)]
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`
  return [line(head), line(head.map(() => '---')), ...rows.map(line), ''].join('\n')
}

/** How a document differs from a catalogue, by code; empty when it does not. */
export function checkErrors(document: string, catalogue: Catalogue): string[] {
  const documented = new Map(
    [...document.matchAll(/^\| `([A-Z0-9_]+)` \|.*$/gm)].map(([line, code]) => [code ?? '', line]),
  )
  const wrong: string[] = []
  for (const [code, entry] of Object.entries(catalogue)) {
    const line = documented.get(code)
    if (line === undefined) wrong.push(`${code} is not documented`)
    else if (line !== table(row(code, entry), []).split('\n')[0]) wrong.push(`${code} is documented otherwise`)
  }
  for (const code of documented.keys())
    if (!Object.hasOwn(catalogue, code)) wrong.push(`${code} is documented, but there is no such error`)
  if (wrong.length === 0 && document !== renderErrors(catalogue)) wrong.push('the rest of the document is out of date')
  return wrong
}
