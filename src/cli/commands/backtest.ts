import { Option, type Command } from 'commander'
import type { BacktestFlags } from '../backtest/backtest-flags.js'
import type { CliContext } from '../context.js'
import { examples } from '../examples.js'
import { duration, wholeNumber } from '../option-values.js'

export function register(program: Command, context: CliContext): void {
  const command = program
    .command('backtest')
    .description('run a rule over recorded history of its stream: what would it have found? Nothing is published')
    .argument(
      '<rule>',
      'a rule file, the name of a rule (its file in the streams folder, or else what is deployed), or a deployed revision (velocity@3)',
    )
    .option('--deployed', 'the text of the rule that is deployed, and not that of its file')
    .option('--revision <number>', 'the text of this deployed revision', wholeNumber())
    .option('--from <place>', 'first sequence, or time: 1200, 2026-01-31T12:00:00Z, 2026-01-31, 2h for 2 hours ago')
    .option('--to <place>', 'last sequence, or time before which the last one was stored (default: what is stored now)')
    .option('--last <duration>', 'begin that long ago: 7d is --from 7d')
    .option('--stream <name>', 'another stream to read (default: that of the rule)')
    .option(
      '--against <what>',
      'compare with live (what the rule emitted), a deployed revision (3), or another rule file or rule',
    )
    .option('--check', 'exit code 5 unless that is the same')
    .option(
      '--label <label>',
      'what should be found: a condition on events (data.isFraud), or the type of a label event',
    )
    .addOption(new Option('--label-by <what>', 'count labelled events, or their keys').choices(['event', 'key']))
    .option('--label-within <duration>', 'how long after a match a label event still confirms it', duration)
    .option('--warm-up <duration>', 'how much to read before the range: 1h, all, none (default: what may matter)')
    .option('--show <number>', 'print so many matches, the first ones', wholeNumber(0), 20)
    .option('--out <file>', 'write every match to a file, as NDJSON')
    .option('--html <file>', 'write a report with pictures: one file that needs no other')
    .action(async (rule: string, flags: BacktestFlags) => {
      const { backtestCommand } = await import('../backtest/backtest-command.js')
      await backtestCommand(context, rule, flags)
    })
  examples(command, [
    ['millrace backtest velocity --last 7d', 'the last week'],
    ['millrace backtest draft.yaml --from 1 --against velocity', 'a draft beside the rule that there is'],
    ['millrace backtest velocity --last 1d --against live --check', 'does it find what it found?'],
    ['millrace backtest velocity --last 1d --against 3', 'and what did revision 3 find?'],
    ['millrace backtest draft.yaml --from 1 --label data.isFraud', 'precision and recall'],
    ['millrace backtest draft.yaml --last 30d --html report.html', 'to show somebody'],
  ])
  command.addHelpText(
    'after',
    `
A backtest only reads. It finds what the rule would have found live, also what comes of time passing without an event;
docs/backtest.md says where the two can differ.`,
  )
}
