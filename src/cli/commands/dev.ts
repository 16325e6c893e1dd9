import type { Command } from 'commander'
import type { CliContext } from '../context.js'
import type { DevOptions } from '../dev/dev-command.js'
import { examples } from '../examples.js'
import { wholeNumber } from '../option-values.js'
import { STUCK_AFTER } from '../run/stuck-after.js'

export function register(program: Command, context: CliContext): void {
  const command = program
    .command('dev')
    .description('start a NATS server of its own, apply streams/ and run everything in it, until it is stopped')
    .option('--port <number>', 'port of the server (default: 4222, or a free one when it is taken)', wholeNumber())
    .option('--data-dir <folder>', 'where the server keeps its data', '.millrace/nats')
    .option('--no-apply', 'leave the streams as they are')
    .option('--ready-file <path>', 'write this file when everything has started, remove it at the end')
    .option(...STUCK_AFTER)
    .action(async (options: DevOptions) => {
      const { devCommand } = await import('../dev/dev-command.js')
      await devCommand(context, options)
    })
  examples(command, [
    ['millrace dev', 'in a folder with streams/'],
    ['millrace dev --port 4333', 'on another port'],
    ['rm -r .millrace/nats', 'forget everything, while dev is not running'],
  ])
  command.addHelpText(
    'after',
    `
Other commands in the same folder find this server by themselves. NATS_URL and NATS contexts are left alone here;
only --server or MILLRACE_NATS_URL make dev use a server that is already running.`,
  )
}
