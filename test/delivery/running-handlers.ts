// Handlers on a real server: streams, events, a handler at work, and what is stored.
import { z } from 'zod'
import { applyStreams } from '../../src/broker/apply-streams.ts'
import type { Connection } from '../../src/broker/connection.ts'
import { defineStream, type StreamDeclaration, type StreamOptions } from '../../src/broker/define-stream.ts'
import { planStreams } from '../../src/broker/plan-streams.ts'
import { workStream } from '../../src/broker/work-stream.ts'
import type { HandlerDeclaration } from '../../src/delivery/handler-options.ts'
import { HandlerRun } from '../../src/delivery/handler-run.ts'
import type { HandlerRunOptions } from '../../src/delivery/handler-run-options.ts'
import { defineEvent } from '../../src/event/contract.ts'
import { createRegistry } from '../../src/event/registry.ts'
import type { MillraceError } from '../../src/error/millrace-error.ts'
import { silentLog, type Log } from '../../src/observe/log.ts'
import { DEAD_LETTER_HEADER } from '../../src/kernel/dead-letter.ts'
import { systemClock } from '../../src/time/system-clock.ts'
import { atEnd } from '../support/cleanup.ts'
import { publishAll, readAll } from '../support/events.ts'

const numbered = { data: z.object({ n: z.number(), key: z.string() }), key: (data: { key: string }) => data.key }
export const Asked = defineEvent('thing.asked', numbered)
export const Urgent = defineEvent('thing.urged', numbered)
export const Done = defineEvent('thing.done', numbered)
export const registry = createRegistry([Asked, Urgent, Done])

const say: Log['info'] = (...parts) => console.log(...parts)
const LOG: Log =
  process.env['MILLRACE_TEST_LOG'] === undefined ? silentLog : { debug: say, info: say, warn: say, error: say }

export interface Place {
  readonly stream: StreamDeclaration
  readonly work: StreamDeclaration
}

let count = 0

/** A stream and its work, created. */
export async function place(connection: Connection, options: Partial<StreamOptions> = {}): Promise<Place> {
  const name = `H${process.pid}-${(count += 1)}`
  const stream = defineStream({ name, root: name.toLowerCase(), partitions: 4, ...options })
  const work = workStream(stream)
  await applyStreams(connection, await planStreams(connection, [stream, work]))
  return { stream, work }
}

export interface Running {
  readonly run: HandlerRun
  readonly failures: MillraceError[]
}

/** Puts a handler to work in this process; it is stopped after the last suite. */
export async function work(
  connection: Connection,
  { stream, work: beside }: Place,
  declaration: HandlerDeclaration,
  options: Partial<HandlerRunOptions> = {},
): Promise<Running> {
  const failures: MillraceError[] = []
  const run = await HandlerRun.start({
    connection,
    declaration,
    registry,
    stream,
    work: beside,
    emitsTo: declaration.emits === undefined ? undefined : stream,
    clock: systemClock,
    log: LOG,
    chance: Math.random,
    stopGraceMs: 1_000,
    onFailure: (error) => failures.push(error),
    ...options,
  })
  atEnd(() => run.stop())
  return { run, failures }
}

/** Publishes so many events, numbered from 0 (or `from`). */
export function ask(
  connection: Connection,
  { stream }: Place,
  many: number,
  { from = 0, contract = Asked }: { from?: number; contract?: typeof Asked | typeof Urgent } = {},
): Promise<void> {
  const numbers = Array.from({ length: many }, (_, at) => at + from)
  return publishAll(
    connection,
    stream,
    numbers.map((n) => contract({ n, key: `k${n % 7}` })),
  )
}

/** Dead letters of a stream: what they tell. */
export async function letters(connection: Connection, { stream }: Place) {
  const all = await readAll(connection, 'DEAD_LETTERS', [`millrace.dead.${stream.name}.>`])
  return all.map(({ headers, subject, data }) => ({
    subject,
    data,
    headers,
    code: headers.get(DEAD_LETTER_HEADER.code),
    detail: decodeURIComponent(headers.get(DEAD_LETTER_HEADER.detail) ?? ''),
    attempts: (headers.get(DEAD_LETTER_HEADER.attempts) ?? '').split(' ').filter((part) => part !== ''),
  }))
}

export async function consumerOf(connection: Connection, stream: string, name: string) {
  return await connection.manager.consumers.info(stream, name)
}

/** Messages in the stream of work. */
export async function inWork(connection: Connection, { work: beside }: Place): Promise<number> {
  return (await connection.manager.streams.info(beside.name)).state.messages
}
