import type { Command } from 'commander'
import type { CliContext } from '../context.js'
import { examples } from '../examples.js'
import { wholeNumber } from '../option-values.js'
import type { VerifyFlags } from '../verify/verify-command.js'

export function register(program: Command, context: CliContext): void {
  const command = program
    .command('verify')
    .description('crash a pipeline or rule at every place of recorded input, and compare what comes out')
    .argument('<name>', 'pipeline, rule, or rule file')
    .option('--from-seq <number>', 'first sequence (default: the last 20,000)', wholeNumber())
    .option('--to-seq <number>', 'last sequence (default: the last one stored now)', wholeNumber())
    .option('--file <path>', 'a recording in place of a stream: NDJSON as millrace replay writes it, - for stdin')
    .option('--points <number>', 'most places to crash at (default: as many as take some seconds)', wholeNumber())
    .option('--run-steps', 'run steps that have no recorded result; what they do is real')
    .action(async (name: string, flags: VerifyFlags) => {
      const { verifyCommand } = await import('../verify/verify-command.js')
      await verifyCommand(context, name, flags)
    })
  examples(command, [
    ['millrace verify velocity', 'over the end of its input'],
    ['millrace verify velocity --from-seq 1200 --to-seq 9000', 'over a part of it'],
    ['millrace verify velocity --file streams/payments/recordings/day.ndjson', 'in CI, without a server'],
    ['millrace verify card-testing --points 100000', 'a rule, at more places'],
  ])
  command.addHelpText(
    'after',
    `
Publishes nothing and leaves nothing behind. It runs the input once, once more, with a crash and a recovery after each
message or decision, and with all of these crashes in one run; outputs with their ids, dead letters and state have to
be the same. Exit code 5 when they are not. docs/verify.md says what that proves, and what not.`,
  )
}
