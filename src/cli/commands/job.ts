import type { Command } from 'commander'
import type { CliContext } from '../context.js'
import { examples } from '../examples.js'

export function register(program: Command, context: CliContext): void {
  const job = program.command('job').description('what became of jobs')
  examples(job, [['millrace job show 4711', 'its request, attempts, bills and decision']])
  job
    .command('show')
    .description('show all that became of a job: requested, attempted, billed, decided, by whom')
    .argument('<id>', 'id of the job, which is that of the event that requested it')
    .action(async (id: string) => {
      const { showCommand } = await import('../job/show-command.js')
      await showCommand(context, id)
    })
}
