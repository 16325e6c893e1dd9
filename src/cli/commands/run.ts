import type { Command } from 'commander'
import type { CliContext } from '../context.js'
import { examples } from '../examples.js'
import { names } from '../option-values.js'
import type { RunOptions } from '../run/run-command.js'
import { STUCK_AFTER } from '../run/stuck-after.js'

export function register(program: Command, context: CliContext): void {
  const command = program
    .command('run')
    .description('run every pipeline and rule of streams/ against a NATS server, until it is stopped')
    .option(
      '--only <names>',
      'only these, with commas between: pipeline-NAME, rule-NAME, handler-NAME, schedule-NAME …',
      names,
    )
    .option('--apply', 'bring the streams up to date first, as millrace streams apply does')
    .option('--ready-file <path>', 'write this file when everything has started, remove it at the end')
    .option(...STUCK_AFTER)
    .action(async (options: RunOptions) => {
      const { runCommand } = await import('../run/run-command.js')
      await runCommand(context, options)
    })
  examples(command, [
    ['millrace run --server nats://nats-1:4222,nats://nats-2:4222', 'in production'],
    ['millrace run --apply --context staging', 'streams first, then everything'],
    ['millrace run --only rule-velocity', 'one rule'],
  ])
  command.addHelpText(
    'after',
    `
A server that is not there yet, or goes away, is waited for as long as it takes.
Logs are JSON lines on stdout, text on a terminal; MILLRACE_LOG_LEVEL is debug, info, warn, error or silent.
Ctrl-C and SIGTERM commit what is done and end with exit code 0; a second Ctrl-C ends at once, losing nothing.`,
  )
}
