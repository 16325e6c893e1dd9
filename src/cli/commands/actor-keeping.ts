import type { Command } from 'commander'
import type { EraseFlags } from '../actor/erase-command.js'
import type { CliContext } from '../context.js'

/** What is kept of aggregates, and what is not. */
export function registerKeeping(actor: Command, context: CliContext): void {
  actor
    .command('erase')
    .description('erase what is personal of a subject, by deleting the key that it is sealed with')
    .argument('[type]', 'name of the actor')
    .argument('[id]', 'id of the aggregate: whom it is about is erased')
    .option('--subject <subject>', 'the subject, as the actor names it; by default <actor>:<id>')
    .option('--yes', 'do it: nobody can bring it back')
    .action(async (type: string | undefined, id: string | undefined, flags: EraseFlags) => {
      const { eraseCommand } = await import('../actor/erase-command.js')
      await eraseCommand(context, type, id, flags)
    })
    .addHelpText(
      'after',
      `
The values are null from then on, for whoever reads them. Do it again when it was killed: it goes on where it was. Copies
of the bucket millrace_personal_keys that were made before have the key still: they have to go too.`,
    )
}
