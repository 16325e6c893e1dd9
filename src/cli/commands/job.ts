import { Option, type Command } from 'commander'
import type { CliContext } from '../context.js'
import { examples } from '../examples.js'
import type { CostFlags } from '../job/cost-command.js'
import type { ListFlags } from '../job/list-command.js'
import type { OverrideFlags } from '../job/override-command.js'
import type { SubmitFlags } from '../job/submit-command.js'
import type { WatchFlags } from '../job/watch-command.js'
import { dayOrAll, duration, wholeNumber } from '../option-values.js'

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
    .addHelpText('after', '\nIt reads the records of all jobs; with --since, those that were stored since then.')
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
    .option('--wait <duration>', 'how long it may take until the job is on the log', duration, 10_000)
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
