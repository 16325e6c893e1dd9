import type { Command } from 'commander'
import type { CliContext } from '../context.js'
import { examples } from '../examples.js'

export function register(program: Command, context: CliContext): void {
  const view = program.command('view').description('rows that views have made of events')
  examples(view, [
    ['millrace view list', 'every view, its version, and how far it is'],
    ['millrace view show open-orders', 'its rows'],
    ['millrace view show open-orders 42', 'one of them'],
  ])
  view
    .command('list')
    .description('list the views that have ever run, and versions that are being made')
    .action(async () => {
      const { listViews } = await import('../view/list-views.js')
      await listViews(context)
    })
  view
    .command('show')
    .description('show the rows of a view, or one of them')
    .argument('<name>', 'name of the view')
    .argument('[key]', 'key of a row')
    .action(async (name: string, key: string | undefined) => {
      const { showView } = await import('../view/show-view.js')
      await showView(context, name, key)
    })
}
