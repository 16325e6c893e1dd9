import type { Command } from 'commander'
import type { CliContext } from '../context.js'
import { examples } from '../examples.js'
import { wholeNumber } from '../option-values.js'

interface ListOptions {
  readonly stream?: string
  readonly processor?: string
  readonly code?: string
  readonly limit: number
}

export function register(program: Command, context: CliContext): void {
  const deadLetters = program
    .command('dead-letters')
    .description('list and show the events that could not be processed')
  examples(deadLetters, [
    ['millrace dead-letters list', 'the newest'],
    ['millrace dead-letters list --code EVENT_DATA_INVALID', 'those that broke their contract'],
    ['millrace dead-letters show 17', 'the whole story of one'],
  ])
  deadLetters
    .command('list')
    .description('list the newest dead letters, oldest of them first')
    .option('--stream <name>', 'only of this stream')
    .option('--processor <name>', 'only of this processor, such as rule-velocity; contract: broken contracts')
    .option('--code <code>', 'only with this error code')
    .option('--limit <number>', 'at most so many', wholeNumber(), 50)
    .action(async (options: ListOptions) => {
      const { listCommand } = await import('../dead-letters/list-command.js')
      await listCommand(context, options)
    })
  deadLetters
    .command('show')
    .description('show why, from where, and the message itself')
    .argument('<number>', 'number of the dead letter, from the list', wholeNumber())
    .action(async (number: number) => {
      const { showCommand } = await import('../dead-letters/show-command.js')
      await showCommand(context, number)
    })
}
