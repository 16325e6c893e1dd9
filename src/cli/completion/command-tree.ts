import type { Command } from 'commander'
import { COMMANDS } from '../commands.js'
import type { CliContext } from '../context.js'
import { createProgram } from '../program.js'

/** A command as completion needs it. */
export interface CommandNode {
  readonly name: string
  readonly summary: string
  readonly flags: readonly string[]
  readonly children: readonly CommandNode[]
}

const NOWHERE = { write: () => true }

/** Every command with its flags, from the declarations that the commands themselves make. */
export async function commandTree(context: CliContext): Promise<CommandNode> {
  const program = createProgram({ env: context.env, stdout: NOWHERE, stderr: NOWHERE }, false)
  for (const { load } of COMMANDS) (await load()).register(program, context)
  return nodeOf(program)
}

function nodeOf(command: Command): CommandNode {
  return {
    name: command.name(),
    summary: command.description(),
    flags: [...command.options.flatMap(({ long }) => (long ? [long] : [])), '--help'],
    children: command.commands.map(nodeOf),
  }
}
