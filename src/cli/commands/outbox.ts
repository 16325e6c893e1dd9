import type { Command } from 'commander'
import type { CliContext } from '../context.js'
import { examples } from '../examples.js'

export function register(program: Command, context: CliContext): void {
  const outbox = program
    .command('outbox')
    .description('tables of outboxes: what the outboxes of streams/ need in their databases')
  examples(outbox, [
    ['millrace outbox sql | psql "$DATABASE_URL"', 'make the tables by hand, or put the SQL into a migration'],
    ['millrace outbox migrate', 'make them through the client of each outbox'],
    ['millrace outbox renumber orders', 'after the database was restored into another cluster'],
  ])
  outbox
    .command('sql')
    .description('print the statements that make the tables; they may be run again')
    .argument('[name]', 'one outbox; default all')
    .action(async (name: string | undefined) => {
      const { sqlCommand } = await import('../outbox/outbox-commands.js')
      await sqlCommand(context, name)
    })
  outbox
    .command('migrate')
    .description('run them')
    .argument('[name]', 'one outbox; default all')
    .action(async (name: string | undefined) => {
      const { migrateCommand } = await import('../outbox/outbox-commands.js')
      await migrateCommand(context, name)
    })
  outbox
    .command('renumber')
    .description('give rows that are not relayed numbers of this cluster; while nothing writes and no relay runs')
    .argument('<name>', 'the outbox')
    .action(async (name: string) => {
      const { renumberCommand } = await import('../outbox/outbox-commands.js')
      await renumberCommand(context, name)
    })
}
