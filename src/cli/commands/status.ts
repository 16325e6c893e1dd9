import type { Command } from 'commander'
import type { CliContext } from '../context.js'
import { examples } from '../examples.js'
import { duration } from '../option-values.js'
import { GROUP } from '../pause/group.js'
import type { StatusFlags } from '../status/status-command.js'

export function register(program: Command, context: CliContext): void {
  const command = program
    .command('status')
    .description('show how far every pipeline and rule is, and what the streams hold')
    .option('--watch [interval]', 'show it again and again (default: every 2s)', duration)
    .option('--units', 'who runs what: every process, and every partition of every pipeline and rule')
    .option('--group <name>', 'group of processes', GROUP)
    .action(async ({ watch, ...flags }: { watch?: number | true } & StatusFlags) => {
      const { statusCommand } = await import('../status/status-command.js')
      await statusCommand(context, watch === true ? 2_000 : watch, flags)
    })
  examples(command, [
    ['millrace status', 'once'],
    ['millrace status --watch 5s', 'every five seconds'],
    ['millrace status --units', 'who runs what'],
    ['millrace status --json', 'for a script'],
  ])
  command.addHelpText(
    'after',
    `
LAG MSGS and READ MSGS count messages of the stream that is read: what is still to be handled, and what was. A message
holds one event, or several where a pipeline packs them. OUT EVENTS counts events. In --json: lag, turns, outputs.`,
  )
}
