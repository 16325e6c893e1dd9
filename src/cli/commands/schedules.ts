import { Option, type Command } from 'commander'
import type { CliContext } from '../context.js'
import { examples } from '../examples.js'
import { wholeNumber } from '../option-values.js'
import type { ListFlags } from '../schedules/list-command.js'
import type { StreamFlag } from '../schedules/waiting-streams.js'

export function register(program: Command, context: CliContext): void {
  const schedules = program
    .command('schedules')
    .description('schedules of streams/, and events that wait for their time')
  examples(schedules, [
    ['millrace schedules list', 'when each is due next, and the first fifty events that wait'],
    ['millrace schedules show morning', 'its next ticks'],
    ['millrace schedules show reminder-4711', 'an event that waits, with its data'],
    ['millrace schedules cancel reminder-4711', 'it will not come'],
    ['millrace schedules run morning', 'a tick now, beside the others'],
  ])
  const stream = (): Option => new Option('--stream <name>', 'only what waits in this stream')
  schedules
    .command('list')
    .description('schedules with their next and last tick; events that wait, those that are due first at first')
    .addOption(stream())
    .addOption(new Option('--limit <n>', 'events of a page').argParser(wholeNumber()).default(50))
    .option('--after <place>', 'begin behind this one: `next` of the page before')
    .action(async (flags: ListFlags) => {
      const { listCommand } = await import('../schedules/list-command.js')
      await listCommand(context, flags)
    })
  schedules
    .command('show')
    .description('a schedule and its next ticks, or an event that waits')
    .argument('<name>', 'name of a schedule, or id of an event')
    .addOption(stream())
    .action(async (name: string, flags: StreamFlag) => {
      const { showCommand } = await import('../schedules/show-command.js')
      await showCommand(context, name, flags)
    })
  schedules
    .command('cancel')
    .description('have an event that waits not come; an error when none waits under the id')
    .argument('<id>', 'id of the event that waits')
    .addOption(stream())
    .action(async (id: string, flags: StreamFlag) => {
      const { cancelCommand } = await import('../schedules/cancel-command.js')
      await cancelCommand(context, id, flags)
    })
  schedules
    .command('run')
    .description('publish the events of a tick that is due now; when the schedule is due is not changed')
    .argument('<name>', 'name of a schedule')
    .action(async (name: string) => {
      const { runCommand } = await import('../schedules/run-command.js')
      await runCommand(context, name)
    })
}
