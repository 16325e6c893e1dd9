import type { Command } from 'commander'

/** Help that begins with what people type. Each example is a line and what it does. */
export function examples(command: Command, lines: readonly (readonly [line: string, what: string])[]): void {
  const width = Math.max(...lines.map(([line]) => line.length))
  const text = lines.map(([line, what]) => `  ${line.padEnd(width)}  ${what}`).join('\n')
  command.addHelpText('before', `Examples:\n${text}\n`)
}
