import type { Command } from 'commander'
import type { HistoryFlags } from '../actor/history-command.js'
import type { ShowFlags } from '../actor/show-command.js'
import type { CliContext } from '../context.js'
import { examples } from '../examples.js'
import { wholeNumber } from '../option-values.js'
import { registerCommanding } from './actor-commanding.js'
import { registerKeeping } from './actor-keeping.js'

const PERSONAL = 'with the values that are personal, in place of null'

export function register(program: Command, context: CliContext): void {
  const actor = program
    .command('actor')
    .description('the actors: commands for their aggregates, and what those have decided')
  examples(actor, [
    ['millrace actor list', 'which there are, how many aggregates, who runs them'],
    [`millrace actor request order 42 place --data '{…}'`, 'a command, and what becomes of it'],
    ['millrace actor show order 42', 'its state, timers and open steps'],
    ['millrace actor show order 42 --at-time 2h', 'as it was two hours ago'],
    ['millrace actor show order 42 --diff', 'what each of its last events changed'],
    ['millrace actor history order 42', 'its events and rejections, and who caused them'],
    ['millrace actor archive order --closed-before 90d --to archive', 'closed ones, out of the stream'],
    ['millrace actor erase order 42 --yes', 'what is personal of it, for ever'],
  ])
  registerCommanding(actor, context)
  actor
    .command('show')
    .description('show the state of an aggregate, now or at a point of the past')
    .argument('<type>', 'name of the actor')
    .argument('<id>', 'id of the aggregate')
    .option('--at-seq <number>', 'as it was after this sequence of its stream', wholeNumber())
    .option('--at-time <time>', 'as it was then: 2026-01-31T12:00:00Z, 2026-01-31, or 2h for two hours ago')
    .option('--diff', 'what each of its last events changed in the state')
    .option('--personal', PERSONAL)
    .option('--limit <number>', 'with --diff: of at most so many decisions', wholeNumber(), 20)
    .action(async (type: string, id: string, flags: ShowFlags) => {
      const { showCommand } = await import('../actor/show-command.js')
      await showCommand(context, type, id, flags)
    })
  actor
    .command('history')
    .description('list the last decisions about an aggregate, oldest of them first')
    .argument('<type>', 'name of the actor')
    .argument('<id>', 'id of the aggregate')
    .option('--at-seq <number>', 'up to this sequence of its stream', wholeNumber())
    .option('--at-time <time>', 'up to then: 2026-01-31T12:00:00Z, 2026-01-31, or 2h for two hours ago')
    .option('--limit <number>', 'at most so many decisions', wholeNumber(), 50)
    .option('--personal', PERSONAL)
    .action(async (type: string, id: string, flags: HistoryFlags) => {
      const { historyCommand } = await import('../actor/history-command.js')
      await historyCommand(context, type, id, flags)
    })
  registerKeeping(actor, context)
  actor.addHelpText(
    'after',
    `
The actor itself is not asked, and need not run: the log is read. What a state is made of is decided by the code in
streams/, so an event that this code cannot take is an error.`,
  )
}
