import type { Command } from 'commander'
import { fault } from '../../error/millrace-error.js'
import type { CliContext } from '../context.js'
import { examples } from '../examples.js'
import { wholeNumber } from '../option-values.js'
import type { PublishFileOptions } from '../publish/publish-file-command.js'
import type { PublishOneOptions } from '../publish/publish-one-command.js'

export function register(program: Command, context: CliContext): void {
  const command = program
    .command('publish')
    .description('publish one event, or NDJSON from a file or standard input')
    .argument('[type]', 'type of the event, such as payment.authorized')
    .option('--data <json>', 'its data: JSON, @file, or @- for standard input')
    .option('--data-version <number>', 'version of its data (default: the current one)', wholeNumber())
    .option('--key <key>', 'its key, in place of the one that the contract takes from the data')
    .option('--id <id>', 'its id (default: a random one)')
    .option('--source <uri>', 'who says so; with --file for lines that name no source')
    .option('--time <time>', 'when it happened, RFC 3339 (default: now)')
    .option('--correlation-id <id>', 'the conversation that it belongs to')
    .option('--causation-id <id>', 'id of the event that caused it')
    .option('--file <path>', 'NDJSON: one CloudEvents object per line, or {"type", "data"}; - is standard input')
    .option('--from-line <number>', 'skip the lines before', wholeNumber(), 1)
    .option('--rejected <file>', 'write rejected lines there, with the reason and the text of each')
    .option('--stream <name>', 'stream to publish to (default: that of the context that declares the type)')
    .option('-n, --dry-run', 'check everything, publish nothing; needs no server')
    .action(async (type: string | undefined, options: PublishOneOptions & Partial<PublishFileOptions>) => {
      const { file, fromLine = 1 } = options
      if ((type === undefined) === (file === undefined))
        throw fault('USAGE', 'give the type of one event, or --file with many')
      if (file === undefined) {
        const { publishOne } = await import('../publish/publish-one-command.js')
        return publishOne(context, type ?? '', options)
      }
      const { publishFile } = await import('../publish/publish-file-command.js')
      return publishFile(context, { ...options, file, fromLine })
    })
  examples(command, [
    [`millrace publish payment.authorized --data '{"cardId":"c1","amount":12}'`, 'one event'],
    ['millrace publish --file events.ndjson', 'many'],
    ['generate | millrace publish --file - --rejected bad.ndjson', 'from another program'],
    ['millrace publish --file events.ndjson --from-line 120001', 'go on after an interruption'],
  ])
  command.addHelpText(
    'after',
    `
Lines that name no id get one from their number and text, so publishing the same file again within the stream's
duplicate window (2 minutes unless declared otherwise) stores nothing twice.`,
  )
}
