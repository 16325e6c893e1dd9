import { Option, type Command } from 'commander'
import type { CliContext } from '../context.js'
import { examples } from '../examples.js'
import type { CostFlags } from '../job/cost-command.js'
import type { ListFlags } from '../job/list-command.js'
import type { OverrideFlags } from '../job/override-command.js'
import type { ReplayFlags } from '../job/replay-flags.js'
import type { SubmitFlags } from '../job/submit-command.js'
import type { WatchFlags } from '../job/watch-command.js'
import { dayOrAll, duration, positiveNumber, wholeNumber } from '../option-values.js'

export function register(program: Command, context: CliContext): void {
  const job = program.command('job').description('jobs: request them, see what became of them, decide in their place')
  examples(job, [
    ['millrace job list --state dead --since 1d', 'what failed'],
    ['millrace job show 4711', 'its request, attempts, bills and decision'],
    [`millrace job submit triage --id 4711 --data '{"amount":12}'`, 'request one'],
    ['millrace job watch 4711', 'until it is decided'],
    ['millrace job cost --tenant acme', 'what its calls have cost today'],
    [
      `millrace job override 4711 --decision '{"fraud":false}' --by ann --why "the customer called"`,
      'decide otherwise',
    ],
  ])
  list(job, context)
  job
    .command('show')
    .description('show all that became of a job: requested, attempted, billed, decided, by whom')
    .argument('<id>', 'id of the job, which is that of the event that requested it')
    .action(async (id: string) => {
      const { showCommand } = await import('../job/show-command.js')
      await showCommand(context, id)
    })
  submit(job, context)
  watch(job, context)
  override(job, context)
  cost(job, context)
  replay(job, context)
}

function list(job: Command, context: CliContext): void {
  job
    .command('list')
    .description('list the newest jobs, oldest of them first')
    .addOption(
      new Option('--state <state>', 'only those that are so').choices([
        'waiting',
        'running',
        'decided',
        'overridden',
        'dead',
      ]),
    )
    .option('--job <name>', 'only of this kind')
    .option('--tenant <tenant>', 'only of this tenant')
    .option('--stream <name>', 'only those that events of this stream request')
    .option('--since <time>', 'only requested since this time, or so long ago: 2026-01-31T12:00:00Z, 2h')
    .option('--limit <number>', 'at most so many', wholeNumber(), 50)
    .action(async (flags: ListFlags) => {
      const { listCommand } = await import('../job/list-command.js')
      await listCommand(context, flags)
    })
    .addHelpText(
      'after',
      '\nIt reads records from the newest on, until there are so many; where few are meant, all of them, or those since --since.',
    )
}

function submit(job: Command, context: CliContext): void {
  job
    .command('submit')
    .description('request a job: publish the event that it is declared for')
    .argument('<name>', 'name of the job')
    .option('--data <json>', 'its input: JSON, @file, or @- for standard input')
    .option('--id <id>', 'id of the request, and of the job (default: a random one)')
    .action(async (name: string, flags: SubmitFlags) => {
      const { submitCommand } = await import('../job/submit-command.js')
      await submitCommand(context, name, flags)
    })
    .addHelpText('after', '\nSubmitted again with the same --id, it is the same job, and is not asked again.')
}

function watch(job: Command, context: CliContext): void {
  job
    .command('watch')
    .description('print what becomes of a job, until it is over')
    .argument('<id>', 'id of the job')
    .option('--stream <name>', 'where several contexts have one with this id: the stream whose event requested it')
    .addOption(
      new Option('--wait <duration>', 'how long it may take until the job is on the log')
        .argParser(duration)
        .default(10_000, '10s'),
    )
    .option('--text', 'print answers while they come')
    .action(async (id: string, flags: WatchFlags) => {
      const { watchCommand } = await import('../job/watch-command.js')
      await watchCommand(context, id, flags)
    })
    .addHelpText('after', '\nExit codes: 0 decided, 7 a dead letter, 3 there is no such job.')
}

function override(job: Command, context: CliContext): void {
  job
    .command('override')
    .description('replace the decision of a job, or decide one that is a dead letter; the log keeps both')
    .argument('<id>', 'id of the job')
    .requiredOption('--decision <json>', 'what the result of the job says: JSON, @file, or @- for standard input')
    .requiredOption('--by <name>', 'who decides')
    .requiredOption('--why <text>', 'and why')
    .option('--stream <name>', 'where several contexts have one with this id: the stream whose event requested it')
    .action(async (id: string, flags: OverrideFlags) => {
      const { overrideCommand } = await import('../job/override-command.js')
      await overrideCommand(context, id, flags)
    })
}

function cost(job: Command, context: CliContext): void {
  job
    .command('cost')
    .description('show what calls of models have used and cost, by tenant and job')
    .option('--day <day>', 'of this day (UTC), such as 2026-01-31, or `all` (default: today)', dayOrAll)
    .option('--tenant <tenant>', 'only of this tenant')
    .option('--job <name>', 'only of this kind')
    .action(async (flags: CostFlags) => {
      const { costCommand } = await import('../job/cost-command.js')
      await costCommand(context, flags)
    })
    .addHelpText(
      'after',
      '\nIt reads counters, which are kept for 13 months. What one job was billed: millrace job show.',
    )
}

function replay(job: Command, context: CliContext): void {
  const command = job
    .command('replay')
    .description('decide jobs of the past again: from recorded answers, or asked with another prompt or model')
    .option('--job <name>', 'only of this kind')
    .option('--tenant <tenant>', 'only of this tenant')
    .option('--stream <name>', 'only those that events of this stream request')
    .option('--from-seq <number>', 'first sequence of a request in the stream of the jobs’ records', wholeNumber())
    .option('--to-seq <number>', 'last sequence (default: the last one stored now)', wholeNumber())
    .option('--since <time>', 'only requested since this time, or so long ago: 2026-01-31T12:00:00Z, 2h')
    .option('--sample <number>', 'only so many of them, the same ones each time', wholeNumber())
    .option('--model <model>', 'ask this model')
    .option('--prompt-version <number>', 'ask with this version of the prompt', wholeNumber())
    .option('--concurrency <number>', 'calls at a time', wholeNumber(), 4)
    .option('--max-cost <amount>', 'stop before a call that may pass it, in the currency of the prices', positiveNumber)
    .option('--output <file>', 'where the answers are kept (default: job-replay-<time>.ndjson)')
    .option('--resume <file>', 'go on with a comparison: what it has is not paid again')
    .option('--all', 'print also those that came to the same')
    .option('--check', 'exit code 5 unless all came to the same')
    .action(async (flags: ReplayFlags) => {
      const { replayCommand } = await import('../job/replay-command.js')
      await replayCommand(context, flags)
    })
  examples(command, [
    ['millrace job replay --since 7d --check', 'does the result schema of now accept what was answered?'],
    ['millrace job replay --job triage --model claude-sonnet-5-5 --sample 100', 'another model'],
    ['millrace job replay --job triage --prompt-version 3 --max-cost 2.50', 'another prompt, for 2.50 at most'],
    ['millrace job replay --resume job-replay-….ndjson --max-cost 5', 'go on, for 5 in all'],
  ])
  command.addHelpText(
    'after',
    `
The log of the jobs is only read. Without --model and --prompt-version nothing is asked, and no key is needed. Ctrl-C prints what
there is; --max-cost counts all that the comparison has cost.`,
  )
}
