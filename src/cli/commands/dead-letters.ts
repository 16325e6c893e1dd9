import { Option, type Command } from 'commander'
import type { CliContext } from '../context.js'
import type { ChoiceFlags } from '../dead-letters/choose-letters.js'
import type { DropFlags } from '../dead-letters/drop-command.js'
import type { EditFlags } from '../dead-letters/edit-command.js'
import type { ListFlags } from '../dead-letters/list-command.js'
import type { RedriveLettersFlags } from '../dead-letters/redrive-command.js'
import { examples } from '../examples.js'
import { perSecond, wholeNumber } from '../option-values.js'

export function register(program: Command, context: CliContext): void {
  const deadLetters = program
    .command('dead-letters')
    .description('the events that could not be processed: list, show, edit, redrive and drop them')
  examples(deadLetters, [
    ['millrace dead-letters list --group-by fingerprint', 'how many failed in which way'],
    ['millrace dead-letters show 17', 'the whole story of one'],
    ['millrace dead-letters edit 17 --set amount=12', 'mend its data'],
    ['millrace dead-letters redrive 17 --wait', 'send it back, and see whether it is handled'],
    [`millrace dead-letters redrive --where 'code == "HANDLER_TIMEOUT"' --rate 50/s --yes`, 'all of a kind, slowly'],
    ['millrace dead-letters drop 17 --reason "sent by hand"', 'give it up'],
  ])
  list(deadLetters, context)
  deadLetters
    .command('show')
    .description('show why, from where, and the message itself')
    .argument('<number>', 'number of the dead letter, from the list', wholeNumber())
    .action(async (number: number) => {
      const { showCommand } = await import('../dead-letters/show-command.js')
      await showCommand(context, number)
    })
  edit(deadLetters, context)
  redrive(deadLetters, context)
  drop(deadLetters, context)
}

function list(deadLetters: Command, context: CliContext): void {
  choosing(deadLetters.command('list'))
    .description('list the newest dead letters, oldest of them first')
    .addOption(
      new Option('--group-by <what>', 'count all of them by this').choices([
        'fingerprint',
        'code',
        'processor',
        'type',
      ]),
    )
    .option('--all', 'also those that were handled or dropped within a week')
    .option('--limit <number>', 'at most so many', wholeNumber(), 50)
    .action(async (flags: ListFlags) => {
      const { listCommand } = await import('../dead-letters/list-command.js')
      await listCommand(context, flags)
    })
}

function edit(deadLetters: Command, context: CliContext): void {
  deadLetters
    .command('edit')
    .description('change the data of its event for when it is redriven; the letter stays as it is')
    .argument('<number>', 'number of the dead letter', wholeNumber())
    .option('--data <json>', 'the data as a whole: JSON, @file, or @- for standard input')
    .option('--set <path=value>', 'one place of it, as customer.zip=12345; may be repeated', collect)
    .option('--dry-run', 'show what would change')
    .action(async (number: number, flags: EditFlags) => {
      const { editCommand } = await import('../dead-letters/edit-command.js')
      await editCommand(context, number, flags)
    })
}

function redrive(deadLetters: Command, context: CliContext): void {
  choosing(deadLetters.command('redrive'))
    .description('send their events back to where they belong; the order of each key is kept')
    .argument('[numbers...]', 'numbers of dead letters')
    .option('--all', 'all that are not done with')
    .option('--dry-run', 'count what would be redriven')
    .option('--rate <number/s>', 'at most so many in a second, such as 50/s', perSecond)
    .option('--wait', 'until they are handled, or dead again')
    .option('--yes', 'do it for all that are chosen')
    .action(async (numbers: readonly string[], flags: RedriveLettersFlags) => {
      const { redriveCommand } = await import('../dead-letters/redrive-command.js')
      await redriveCommand(context, numbers.map(wholeNumber()), flags)
    })
}

function drop(deadLetters: Command, context: CliContext): void {
  choosing(deadLetters.command('drop'))
    .description('give them up; why is kept for a week, and the letters too')
    .argument('[numbers...]', 'numbers of dead letters')
    .requiredOption('--reason <text>', 'why')
    .option('--all', 'all that are not done with')
    .option('--dry-run', 'count what would be dropped')
    .option('--erase', 'remove them from the stream at once, which makes room')
    .option('--yes', 'do it for all that are chosen')
    .action(async (numbers: readonly string[], flags: DropFlags & ChoiceFlags) => {
      const { dropCommand } = await import('../dead-letters/drop-command.js')
      await dropCommand(context, numbers.map(wholeNumber()), flags)
    })
}

/** Options that choose letters. */
function choosing(command: Command): Command {
  return command
    .option('--stream <name>', 'only of this stream')
    .option('--processor <name>', 'only of this processor, such as handler-notify; contract: broken contracts')
    .option('--code <code>', 'only with this error code')
    .option('--since <time>', 'only since this time, or so long ago: 2026-01-31T12:00:00Z, 2h')
    .option('--until <time>', 'only before it')
    .option('--where <cel>', 'only where this is true: attempts > 3 && event.data.amount > 100')
}

function collect(text: string, before: readonly string[] = []): readonly string[] {
  return [...before, text]
}
