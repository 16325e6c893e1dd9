import type { Command } from 'commander'
import type { CliContext } from '../context.js'
import { examples } from '../examples.js'
import { GROUP } from '../pause/group.js'
import type { ResumeFlags } from '../pause/resume-command.js'

export function register(program: Command, context: CliContext): void {
  const command = program
    .command('resume')
    .description('let a pipeline or rule that is paused go on where it was')
    .argument('[processor]', 'a processor, such as pipeline-velocity, or its name alone')
    .option('--all', 'everything that is paused')
    .option('--group <name>', 'group of processes', GROUP)
    .action(async (processor: string | undefined, flags: ResumeFlags) => {
      const { resumeCommand } = await import('../pause/resume-command.js')
      await resumeCommand(context, processor, flags)
    })
  examples(command, [
    ['millrace resume velocity', 'one'],
    ['millrace resume --all', 'everything that is paused'],
  ])
}
