import type { Command } from 'commander'
import type { CliContext } from '../context.js'
import { examples } from '../examples.js'
import { duration } from '../option-values.js'

export function register(program: Command, context: CliContext): void {
  const command = program
    .command('status')
    .description('show how far every pipeline and rule is, and what the streams hold')
    .option('--watch [interval]', 'show it again and again (default: every 2s)', duration)
    .action(async ({ watch }: { watch?: number | true }) => {
      const { statusCommand } = await import('../status/status-command.js')
      await statusCommand(context, watch === true ? 2_000 : watch)
    })
  examples(command, [
    ['millrace status', 'once'],
    ['millrace status --watch 5s', 'every five seconds'],
    ['millrace status --json', 'for a script'],
  ])
}
