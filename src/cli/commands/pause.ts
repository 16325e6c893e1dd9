import { Option, type Command } from 'commander'
import type { CliContext } from '../context.js'
import { examples } from '../examples.js'
import { duration } from '../option-values.js'
import { GROUP } from '../pause/group.js'
import type { PauseFlags } from '../pause/pause-command.js'

export function register(program: Command, context: CliContext): void {
  const command = program
    .command('pause')
    .description('have a pipeline or rule stand still in every process, also in those that start later, until resume')
    .argument('[processor]', 'a processor, such as pipeline-velocity, or its name alone')
    .option('--all', 'every pipeline and rule')
    .option('--reason <text>', 'why, for whoever looks at the status')
    .addOption(
      new Option('--wait <duration>', 'how long to wait until it stands still')
        .argParser(duration)
        .default(60_000, '1m'),
    )
    .option('--no-wait', 'do not wait')
    .option('--group <name>', 'group of processes', GROUP)
    .action(async (processor: string | undefined, flags: PauseFlags) => {
      const { pauseCommand } = await import('../pause/pause-command.js')
      await pauseCommand(context, processor, flags)
    })
  examples(command, [
    ['millrace pause velocity --reason "wrong limit, see 4711"', 'one'],
    ['millrace pause --all', 'everything, before maintenance'],
    ['millrace status', 'what is paused, and why'],
    ['millrace resume --all', 'go on'],
  ])
  command.addHelpText(
    'after',
    `
What is being handled is committed first; what comes meanwhile waits in the stream. Publishing goes on.`,
  )
}
