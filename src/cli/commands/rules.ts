import type { Command } from 'commander'
import type { CliContext } from '../context.js'
import { examples } from '../examples.js'
import { registerLiveRules } from './rules-live.js'
import { wholeNumber } from '../option-values.js'
import type { DiffFlags } from '../rules/diff-command.js'
import type { RunFlags } from '../rules/run-command.js'
import type { ExplainFlags } from '../rules/explain-command.js'

export function register(program: Command, context: CliContext): void {
  const rules = program
    .command('rules')
    .description('check, test and run rule files, explain what became of a key; change rules while they work')
  examples(rules, [
    ['millrace rules check', 'every rule in streams/'],
    ['millrace rules check streams/payments/rules/velocity.yaml', 'one file'],
    ['millrace rules test', 'the tests that stand in the rules themselves'],
    ['millrace rules run velocity --file events.ndjson', 'what would it find in a recording?'],
    ['millrace rules run silence --file events.ndjson --until 1h', 'and in the hour after it?'],
    ['millrace rules explain velocity --key card-7 --last 1h', 'why did it not fire?'],
    ['millrace backtest velocity --last 7d', 'what would it find in a stream?'],
    ['millrace rules deploy velocity.yaml', 'a new revision, while events flow'],
    ['millrace rules rollback velocity', 'the revision before it again'],
    ['millrace rules list', 'what runs, which revision, since which sequence'],
  ])
  rules
    .command('check')
    .description('print what is wrong with rules as file:line:column; exit code 2 when anything is')
    .argument('[rules...]', 'rule files, or names of rules (default: every rule in the streams folder)')
    .action(async (given: string[]) => {
      const { checkCommand } = await import('../rules/check-command.js')
      await checkCommand(context, given)
    })
  rules
    .command('test')
    .description('run the tests of rules and print what differed; exit code 1 when a test fails')
    .argument('[rules...]', 'rule files, or names of rules (default: every rule in the streams folder)')
    .action(async (given: string[]) => {
      const { testCommand } = await import('../rules/test-command.js')
      await testCommand(context, given)
    })
  registerRun(rules, context)
  registerExplain(rules, context)
  registerDiff(rules, context)
  registerLiveRules(rules, context)
}

function registerRun(rules: Command, context: CliContext): void {
  rules
    .command('run')
    .description('run a rule over NDJSON in memory and print its matches; for a stream see millrace backtest')
    .argument('<rule>', 'a rule file, or the name of a rule in the streams folder')
    .requiredOption(
      '--file <path>',
      'NDJSON: one CloudEvents object per line, or {"type", "data"}; - is standard input',
    )
    .option(
      '--until <time>',
      'let event time pass to there in the end: a time, or 1h for an hour after the last event (what waits for time ends)',
    )
    .action(async (rule: string, flags: RunFlags) => {
      const { runCommand } = await import('../rules/run-command.js')
      await runCommand(context, rule, flags)
    })
}

function registerExplain(rules: Command, context: CliContext): void {
  const command = rules
    .command('explain')
    .description('what is under way for a key and what it waits for; of a range, what came to nothing and why')
    .argument('<rule>', 'a rule file, or the name of a rule in the streams folder')
    .requiredOption('--key <key>', 'key of the rule')
    .option('--from <place>', 'tell what happened from there on: a sequence, a time, or 2h for 2 hours ago')
    .option('--to <place>', 'up to there (default: what is stored now)')
    .option('--last <duration>', 'begin that long ago: 7d is --from 7d')
    .option('--stream <name>', 'another stream to read (default: that of the rule)')
    .option('--show <number>', 'print so many of each kind, the newest', wholeNumber(1), 10)
    .action(async (rule: string, flags: ExplainFlags) => {
      const { explainCommand } = await import('../rules/explain-command.js')
      await explainCommand(context, rule, flags)
    })
  examples(command, [
    ['millrace rules explain velocity --key card-7', 'what is under way now?'],
    ['millrace rules explain velocity --key card-7 --last 1h', 'why did it not fire?'],
  ])
}

function registerDiff(rules: Command, context: CliContext): void {
  const command = rules
    .command('diff')
    .description('compare a rule with another version of it: the text, what it means for what was begun, what it finds')
    .argument('<rule>', 'a rule file, or the name of a rule in the streams folder')
    .argument('[version]', 'another version: a file, a rule, or a deployed revision (default: what was deployed last)')
    .argument('[other]', 'compare the version with this one instead')
    .option('--from <place>', 'compare what they find from there on: a sequence, a time, or 2h for 2 hours ago')
    .option('--to <place>', 'up to there (default: what is stored now)')
    .option('--last <duration>', 'begin that long ago: 7d is --from 7d')
    .option('--stream <name>', 'another stream to read (default: that of the rule)')
    .action(async (rule: string, version: string | undefined, other: string | undefined, flags: DiffFlags) => {
      const { diffCommand } = await import('../rules/diff-command.js')
      await diffCommand(
        context,
        [rule, version, other].filter((name) => name !== undefined),
        flags,
      )
    })
  examples(command, [
    ['millrace rules diff velocity', 'what does the file change of what is deployed?'],
    ['millrace rules diff velocity 3 5', 'revision 5 against revision 3'],
    ['millrace rules diff velocity draft.yaml', 'what does the draft change?'],
    ['millrace rules diff velocity draft.yaml --last 7d', 'and what would it have found?'],
  ])
}
