import type { Command } from 'commander'
import type { CliContext } from '../context.js'
import { examples } from '../examples.js'

export function register(program: Command, context: CliContext): void {
  const sinks = program.command('sinks').description('sinks: what goes out of the streams, and endpoints that are gone')
  examples(sinks, [
    ['millrace sinks list', 'the sinks of streams/, and endpoints that answered 410'],
    ['millrace sinks enable partner', 'have them called again; what waited is sent'],
  ])
  sinks
    .command('list')
    .description('the sinks of streams/, and endpoints that answered 410 and are called no more')
    .action(async () => {
      const { listSinks } = await import('../sinks/sink-commands.js')
      await listSinks(context)
    })
  sinks
    .command('enable')
    .description('have the endpoints of a webhook called again')
    .argument('<name>', 'the webhook')
    .action(async (name: string) => {
      const { enableSink } = await import('../sinks/sink-commands.js')
      await enableSink(context, name)
    })
}
