import { hash } from 'node:crypto'

// The ids of an aggregate's last commands, as short hashes, oldest first, in one text: a command that comes again long
// after the stream has forgotten its message id still has one effect. Six bytes each: among 32 of them, another command
// is taken for one that was done once in nine million million.

const CHARACTERS = 8

/** What is remembered of a command’s id. */
export function commandMark(commandId: string): string {
  return hash('sha256', commandId, 'base64url').slice(0, CHARACTERS)
}

/** Whether the command is among the remembered ones. */
export function isRemembered(remembered: string | undefined, mark: string): boolean {
  if (remembered === undefined) return false
  for (let at = remembered.indexOf(mark); at >= 0; at = remembered.indexOf(mark, at + 1))
    if (at % CHARACTERS === 0) return true
  return false
}

/** Adds a command, and forgets the oldest when there are more than `most`. */
export function remember(remembered: string | undefined, mark: string, most: number): string {
  const all = (remembered ?? '') + mark
  const from = Math.max(0, all.length - most * CHARACTERS)
  // a part of a longer text would keep all of that in memory, and a sum both of its parts
  if (all.length > scratch.length) return Buffer.from(all, 'latin1').toString('latin1', from)
  return scratch.toString('latin1', from, scratch.write(all, 'latin1'))
}

const scratch = Buffer.allocUnsafeSlow(4_096)

/** How many are remembered. */
export function rememberedCount(remembered: string | undefined): number {
  return (remembered?.length ?? 0) / CHARACTERS
}
