import type { Command } from 'commander'
import type { CliContext } from './context.js'

/** What the file of a command exports. It declares options only and loads the rest when the command runs. */
export interface CommandModule {
  register(program: Command, context: CliContext): void
}

export interface CommandEntry {
  readonly name: string
  readonly summary: string
  load(): Promise<CommandModule>
}

/** Every command, in the order of the help. Only the one that is asked for is loaded. */
export const COMMANDS: readonly CommandEntry[] = [
  {
    name: 'dev',
    summary: 'a NATS server of its own, streams/ applied, everything running',
    load: () => import('./commands/dev.js'),
  },
  {
    name: 'run',
    summary: 'run every pipeline and rule of streams/ against a NATS server',
    load: () => import('./commands/run.js'),
  },
  {
    name: 'publish',
    summary: 'publish one event, or NDJSON from a file or standard input',
    load: () => import('./commands/publish.js'),
  },
  {
    name: 'streams',
    summary: 'plan and apply the declared streams, change their partitions',
    load: () => import('./commands/streams.js'),
  },
  {
    name: 'status',
    summary: 'how far every pipeline and rule is, what the streams hold',
    load: () => import('./commands/status.js'),
  },
  {
    name: 'pause',
    summary: 'have a pipeline or rule stand still, everywhere',
    load: () => import('./commands/pause.js'),
  },
  {
    name: 'resume',
    summary: 'let it go on',
    load: () => import('./commands/resume.js'),
  },
  {
    name: 'rules',
    summary: 'check, test and explain rules; deploy, pause and roll them back while they work',
    load: () => import('./commands/rules.js'),
  },
  {
    name: 'backtest',
    summary: 'run a rule over history: matches, precision, what it would change',
    load: () => import('./commands/backtest.js'),
  },
  {
    name: 'replay',
    summary: 'deliver recorded events again, anywhere',
    load: () => import('./commands/replay.js'),
  },
  {
    name: 'verify',
    summary: 'crash a pipeline or rule at every place of recorded input, and compare',
    load: () => import('./commands/verify.js'),
  },
  {
    name: 'dead-letters',
    summary: 'events that could not be processed: list, show, edit, redrive and drop them',
    load: () => import('./commands/dead-letters.js'),
  },
  {
    name: 'parked',
    summary: 'keys that wait because an event of theirs failed: list them, bring them back',
    load: () => import('./commands/parked.js'),
  },
  {
    name: 'actor',
    summary: 'the actors: commands for their aggregates, and what those have decided',
    load: () => import('./commands/actor.js'),
  },
  {
    name: 'view',
    summary: 'views: rows that are made of events, their versions, how far they are',
    load: () => import('./commands/view.js'),
  },
  {
    name: 'job',
    summary: 'jobs: request, list, watch and override them; all that became of one',
    load: () => import('./commands/job.js'),
  },
  {
    name: 'schedules',
    summary: 'schedules and events that wait for their time: list, show and cancel them, run one now',
    load: () => import('./commands/schedules.js'),
  },
  {
    name: 'outbox',
    summary: 'tables of outboxes in a database: print or make what they need',
    load: () => import('./commands/outbox.js'),
  },
  {
    name: 'sinks',
    summary: 'sinks: what goes out of the streams, and endpoints that are gone',
    load: () => import('./commands/sinks.js'),
  },
  {
    name: 'contracts',
    summary: 'record what events look like and find changes that break readers',
    load: () => import('./commands/contracts.js'),
  },
  {
    name: 'audit',
    summary: 'export what a stream holds as lines that prove each other, and verify them',
    load: () => import('./commands/audit.js'),
  },
  {
    name: 'completion',
    summary: 'print a completion script for bash, zsh or fish',
    load: () => import('./commands/completion.js'),
  },
]
