import type { Command } from 'commander'
import type { ArchiveFlags } from '../actor/archive-command.js'
import type { EraseFlags } from '../actor/erase-command.js'
import type { CliContext } from '../context.js'

/** What is kept of aggregates, and what is not. */
export function registerKeeping(actor: Command, context: CliContext): void {
  actor
    .command('archive')
    .description('take the histories of closed aggregates out of the stream and into files')
    .argument('<type>', 'name of the actor')
    .option('--to <folder>', 'where the files go, in a folder of the name of the actor')
    .option(
      '--closed-before <time>',
      'closed by then: 2026-01-31T12:00:00Z, 2026-01-31, or 30d for 30 days ago (default: now)',
    )
    .option('--dry-run', 'only list them')
    .action(async (type: string, flags: ArchiveFlags) => {
      const { archiveCommand } = await import('../actor/archive-command.js')
      await archiveCommand(context, type, flags)
    })
    .addHelpText(
      'after',
      `
A file is an audit export, which millrace audit verify checks. An aggregate leaves the stream when its file is on the disk;
a command for it is rejected as before. Do it again when it was killed. Readers that are behind do not get what is purged.`,
    )
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
