import { Option, type Command } from 'commander'
import type { CliContext } from '../context.js'
import { examples } from '../examples.js'
import { names, wholeNumber } from '../option-values.js'
import type { ReplayFlags } from '../replay/replay-flags.js'

export function register(program: Command, context: CliContext): void {
  const command = program
    .command('replay')
    .description('deliver recorded events again: to the terminal, a subject, a pipeline or a rule')
    .option('--stream <name>', 'stream to read (default: that of the pipeline or rule)')
    .option('--from-seq <number>', 'first sequence', wholeNumber())
    .option(
      '--from-time <time>',
      'first event stored at or after: 2026-01-31T12:00:00Z, 2026-01-31, or 2h for 2 hours ago',
    )
    .option('--to-seq <number>', 'last sequence (default: the last one stored now)', wholeNumber())
    .option('--type <types>', 'only these event types, with commas between; * and > are wildcards', names)
    .option('--limit <number>', 'stop after so many events', wholeNumber())
    .option('--follow', 'go on with what is stored later, until Ctrl-C')
    .option('--speed <factor>', 'max, or a factor of the original speed such as 10x or 0.5x', 'max')
    .addOption(
      new Option('--speed-by <time>', 'original speed by the time of storing or of the event')
        .choices(['stored', 'event'])
        .default('stored'),
    )
    .option('--pipeline <name>', 'dry run: what would this pipeline put out? Nothing is published')
    .option('--rule <rule>', 'dry run of a rule, by name or file')
    .option('--compare', 'dry run: compare the outputs with those stored live; exit code 5 unless they are the same')
    .option(
      '--to-subject <subject>',
      'publish to <subject>.<key>.<type>, such as sandbox.> (default: NDJSON on stdout)',
    )
    .option('--out <file>', 'write the NDJSON to a file')
    .option('--append', 'add to the file of --out')
    .action(async (flags: ReplayFlags) => {
      const { replayCommand } = await import('../replay/replay-command.js')
      await replayCommand(context, flags)
    })
  examples(command, [
    ['millrace replay --stream PAYMENTS --from-seq 1200', 'NDJSON'],
    ['millrace replay --stream PAYMENTS --from-time 1h --out hour.ndjson', 'the last hour, to a file'],
    ['millrace replay --stream PAYMENTS --from-seq 1 --follow | jq .data', 'everything, and what comes'],
    ['millrace replay --stream PAYMENTS --from-seq 1 --speed 10x --to-subject sandbox.>', 'as it was, faster'],
    ['millrace replay --from-seq 1 --rule velocity --compare', 'do the same matches come out?'],
  ])
  command.addHelpText(
    'after',
    `
A replay only reads: it leaves no consumer behind and moves no position. Its NDJSON can be published again with
millrace publish --file. Ctrl-C says from which sequence to go on.`,
  )
}
