import type { Command } from 'commander'
import type { CliContext } from '../context.js'
import { examples } from '../examples.js'

export function register(program: Command, context: CliContext): void {
  const rules = program
    .command('rules')
    .description('check and test rule files, and run a rule over recorded events, without a server')
  examples(rules, [
    ['millrace rules check', 'every rule in streams/'],
    ['millrace rules check streams/payments/rules/velocity.yaml', 'one file'],
    ['millrace rules test', 'the tests that stand in the rules themselves'],
    ['millrace rules run velocity --file events.ndjson', 'what would it find in a recording?'],
    ['millrace replay --stream PAYMENTS --from-seq 1 --rule velocity', 'what would it find in a stream?'],
  ])
  rules
    .command('check')
    .description('print what is wrong with rules as file:line:column; exit code 2 when anything is')
    .argument('[files...]', 'rule files (default: every rule in the streams folder)')
    .action(async (files: string[]) => {
      const { checkCommand } = await import('../rules/check-command.js')
      await checkCommand(context, files)
    })
  rules
    .command('test')
    .description('run the tests of rules and print what differed; exit code 1 when a test fails')
    .argument('[rules...]', 'rule files, or names of rules (default: every rule in the streams folder)')
    .action(async (given: string[]) => {
      const { testCommand } = await import('../rules/test-command.js')
      await testCommand(context, given)
    })
  rules
    .command('run')
    .description('run a rule over NDJSON in memory and print its matches; for a stream see millrace replay --rule')
    .argument('<rule>', 'a rule file, or the name of a rule in the streams folder')
    .requiredOption(
      '--file <path>',
      'NDJSON: one CloudEvents object per line, or {"type", "data"}; - is standard input',
    )
    .action(async (rule: string, { file }: { file: string }) => {
      const { runCommand } = await import('../rules/run-command.js')
      await runCommand(context, rule, file)
    })
}
