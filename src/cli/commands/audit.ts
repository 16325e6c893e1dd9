import type { Command } from 'commander'
import type { ExportFlags } from '../audit/export-command.js'
import type { VerifyFlags } from '../audit/verify-command.js'
import type { CliContext } from '../context.js'
import { examples } from '../examples.js'
import { wholeNumber } from '../option-values.js'

export function register(program: Command, context: CliContext): void {
  const audit = program
    .command('audit')
    .description('export what a stream holds as lines that prove each other, and verify them')
  examples(audit, [
    ['millrace audit export --stream PAYMENTS payments.ndjson', 'every event and decision'],
    ['millrace audit export --actor order --id 42 order-42.ndjson', 'the history of one aggregate'],
    ['millrace audit verify payments.ndjson', 'was a line changed?'],
    ['millrace audit verify payments.ndjson --against-stream', 'and does the stream still say the same?'],
  ])
  audit
    .command('export')
    .description('write every message as a line of NDJSON with the hash of the line before')
    .argument('<file>', 'where to, - for stdout')
    .option('--stream <name>', 'the stream (default: that of the actor, or the only one)')
    .option('--actor <type>', 'only what this actor has decided')
    .option('--id <id>', 'only about this aggregate')
    .option('--from-seq <number>', 'first sequence', wholeNumber())
    .option('--to-seq <number>', 'last sequence (default: the last one stored now)', wholeNumber())
    .action(async (file: string, flags: ExportFlags) => {
      const { exportCommand } = await import('../audit/export-command.js')
      await exportCommand(context, file, flags)
    })
  audit
    .command('verify')
    .description('say whether an export is as it was written, or the first line that is not')
    .argument('<file>', 'the export, - for stdin')
    .option('--against-stream', 'compare every message with the stream too')
    .option('--hash <hash>', 'the hash that the export ended with, kept elsewhere')
    .action(async (file: string, flags: VerifyFlags) => {
      const { verifyCommand } = await import('../audit/verify-command.js')
      await verifyCommand(context, file, flags)
    })
  audit.addHelpText(
    'after',
    `
An export proves that no line was changed, added or taken out after it was written, as long as the hash that it ended
with is kept where who could write the file anew cannot reach it. Exit code 5 when it is not as it was written.`,
  )
}
