import { formatTime } from '../../event/rfc3339.js'
import { formatDuration } from '../../time/duration.js'
import type { Output } from '../output.js'
import { bytes, count, counted, printTable, type Column } from '../table.js'
import { printEdges } from './read-edges.js'
import { printJobs } from './read-jobs.js'
import { printOutboxes } from './read-outboxes.js'
import { printSchedules, scheduleJson } from './read-schedules.js'
import { printHandlers } from './print-handlers.js'
import { printRules, rulesJson } from './print-rules.js'
import type { ProcessorStatus, Status, StreamStatus } from './read-status.js'

/** Two tables and a line. @param now in ms since the Unix epoch, for ages */
export function printStatus(out: Output, status: Status, now: number): void {
  const { server, streams, processors, rules, deadLetters } = status
  out.line(out.style('gray', `nats-server ${server.version} at ${server.url}`))
  out.line()
  printTable(out, STREAM_COLUMNS, streams)
  out.line()
  printTable(out, processorColumns(now), processors)
  for (const one of processors)
    if (one.kind === 'run') for (const why of one.waitsFor) out.line(`${one.processor} waits: ${why}`)
  printHandlers(out, status.handlers)
  printJobs(out, status.jobs, now)
  printOutboxes(out, status.outboxes)
  printSchedules(out, status.schedules)
  printEdges(out, status.edges)
  printRules(out, rules)
  for (const line of [...noticeLines(processors), ...parkedLines(processors)]) out.line(out.style('yellow', line))
  out.line()
  if (deadLetters === 0) out.line('no dead letters')
  else out.line(`${out.style('yellow', counted(deadLetters, 'dead letter'))}: millrace dead-letters list`)
  if (streams.some(({ kind }) => kind === 'missing')) out.line('missing streams: millrace streams apply')
}

/** The same for machines. */
export function statusJson(status: Status, now: number): object {
  const { server, streams, processors, rules, deadLetters, handlers, jobs, outboxes, schedules, edges } = status
  return {
    server,
    streams: streams.map(({ kind, ...rest }) => ({ ...rest, deployed: kind === 'deployed' })),
    processors: processors.map((processor) =>
      processor.kind === 'never-run'
        ? { processor: processor.processor, from: processor.from, started: false }
        : {
            processor: processor.processor,
            from: processor.from,
            started: true,
            position: processor.position,
            lag: processor.lag ?? null,
            turns: processor.turns,
            outputs: processor.outputs,
            deadLetters: processor.deadLetters,
            parked: processor.parked,
            waitsFor: processor.waitsFor,
            notices: processor.notices,
            owner: processor.owner,
            generation: processor.generation,
            units: processor.units.map((unit) => ({ ...unit, lag: unit.lag ?? null })),
            committedAt: formatTime(processor.committedAt),
            commitAgeSeconds: Math.max(0, now - processor.committedAt) / 1_000,
            otherVersion: processor.isOtherVersion,
          },
    ),
    rules: rulesJson(rules),
    handlers,
    jobs,
    outboxes,
    schedules: schedules.map(scheduleJson),
    edges,
    deadLetters,
  }
}

const STREAM_COLUMNS: readonly Column<StreamStatus>[] = [
  { title: 'STREAM', value: ({ stream }) => stream },
  deployed('MESSAGES', ({ messages }) => count(messages)),
  deployed('BYTES', (stream) => bytes(stream.bytes)),
  deployed('FIRST', ({ first }) => String(first)),
  deployed('LAST', ({ last }) => String(last)),
]

/** A line for each processor that passed something over: `rule-velocity: 1,204 late, 3 evaluation errors`. */
function noticeLines(processors: readonly ProcessorStatus[]): string[] {
  return processors.flatMap((processor) => {
    if (processor.kind === 'never-run') return []
    const notices = Object.entries(processor.notices).filter(([, times]) => times > 0)
    if (notices.length === 0) return []
    const texts = notices.map(([name, times]) => `${count(times)} ${words(name)}`)
    return [`${processor.processor}: ${texts.join(', ')}`]
  })
}

/** A line for each processor with parked keys: `pipeline-velocity: 2 parked keys: millrace parked list`. */
function parkedLines(processors: readonly ProcessorStatus[]): string[] {
  return processors.flatMap((processor) =>
    processor.kind === 'run' && processor.parked > 0
      ? [`${processor.processor}: ${counted(processor.parked, 'parked key')}: millrace parked list`]
      : [],
  )
}

/** A name of the commit record as words: `droppedMatches` is dropped matches. */
function words(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`)
}

type Deployed = Extract<StreamStatus, { kind: 'deployed' }>
type Run = Extract<ProcessorStatus, { kind: 'run' }>

function deployed(title: string, value: (stream: Deployed) => string): Column<StreamStatus> {
  const none = title === 'MESSAGES' ? 'missing' : ''
  return { title, align: 'right', value: (stream) => (stream.kind === 'deployed' ? value(stream) : none) }
}

function processorColumns(now: number): readonly Column<ProcessorStatus>[] {
  const run = (title: string, value: (processor: Run) => string, none = ''): Column<ProcessorStatus> => ({
    title,
    align: title === 'OWNER' ? 'left' : 'right',
    value: (processor) => (processor.kind === 'run' ? value(processor) : none),
  })
  return [
    { title: 'PROCESSOR', value: ({ processor }) => processor },
    { title: 'READS', value: ({ from }) => from },
    run('POSITION', ({ position }) => String(position), 'never run'),
    run('LAG MSGS', ({ lag }) => (lag === undefined ? '?' : count(lag))),
    run('READ MSGS', ({ turns }) => count(turns)),
    run('OUT EVENTS', ({ outputs }) => count(outputs)),
    run('DEAD', ({ deadLetters }) => count(deadLetters)),
    run('COMMIT', ({ committedAt }) => `${formatDuration(Math.max(0, now - committedAt))} ago`),
    run('GEN', ({ generation }) => String(generation)),
    run('OWNER', ({ owner, isOtherVersion }) => (isOtherVersion ? `${owner} (other version)` : owner)),
  ]
}
