import type { Command } from 'commander'
import type { CliContext } from '../context.js'
import { examples } from '../examples.js'
import type { RedriveFlags } from '../parked/redrive-command.js'

export function register(program: Command, context: CliContext): void {
  const parked = program
    .command('parked')
    .description('list the keys that wait because one of their events failed, and bring them back')
  examples(parked, [
    ['millrace parked list', 'every parked key, and what it failed with'],
    ['millrace parked redrive velocity card-17', 'its events again, in order'],
    ['millrace parked redrive velocity --all --dry-run', 'what would be redriven?'],
    ['millrace parked redrive velocity card-17 --skip', 'without the event that failed'],
  ])
  parked
    .command('list')
    .description('list the parked keys, the oldest first')
    .option('--processor <name>', 'only of this processor, such as pipeline-velocity')
    .action(async (options: { processor?: string }) => {
      const { listCommand } = await import('../parked/list-command.js')
      await listCommand(context, options)
    })
  parked
    .command('redrive')
    .description('give the events of a parked key to its processor again, in order, until it takes new ones directly')
    .argument('<processor>', 'a processor, such as pipeline-velocity')
    .argument('[key]', 'the key')
    .option('--all', 'every parked key of the processor')
    .option('--skip', 'leave out the event that failed (it stays a dead letter), and those that are no longer there')
    .option('--dry-run', 'say what would be redriven, and do nothing')
    .action(async (processor: string, key: string | undefined, flags: RedriveFlags) => {
      const { redriveCommand } = await import('../parked/redrive-command.js')
      await redriveCommand(context, processor, key, flags)
    })
    .addHelpText(
      'after',
      `
Mend first what the events failed with: a redrive begins with the one that failed, and ends when one fails again. It may
be interrupted and repeated: an event that was handled is not handled again.`,
    )
}
