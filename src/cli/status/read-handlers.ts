import { asFault } from '../../broker/api-error.js'
import type { Connection } from '../../broker/connection.js'
import { readWorkConsumer } from '../../broker/work-consumer.js'
import { delayedSubject, dueFilter } from '../../broker/work-stream.js'
import { DEAD_LETTER_STREAM } from '../../broker/system-subject.js'
import { laneConsumer, dueConsumer } from '../../delivery/handler-consumers.js'
import { readHandlerStall } from '../../delivery/handler-stalls.js'
import { readBreakers } from '../../delivery/limits/read-breakers.js'
import { readDisabled, type DisabledEndpoint } from '../../edge/webhook/endpoints.js'
import { isFault } from '../../error/millrace-error.js'
import { formatTime } from '../../event/rfc3339.js'
import type { DeployedHandler } from '../../runtime/deployed-handlers.js'
import type { Clock } from '../../time/clock.js'
import { NO_LETTERS, type LettersDone } from './read-letters.js'

/** How far one handler is, in all processes together. */
export interface HandlerLag {
  readonly handler: string
  readonly from: string
  /** Whether it has ever run. */
  readonly started: boolean
  /** Messages that nobody has had, of each lane. */
  readonly pending: number
  readonly lanes: Readonly<Record<string, number>>
  /** Messages that some process has, and that are not done. */
  readonly inFlight: number
  /** Events that wait for another attempt, and those whose time has come. */
  readonly delayed: number
  readonly due: number
  /** Those that nothing was done about. */
  readonly deadLetters: number
  readonly paused: boolean
  /**
   * What it depends on that is left alone: which, why and until when; the endpoints of a webhook that are gone; and why it
   * stands still in some process.
   */
  readonly waitsFor: readonly string[]
}

/** @param done letters that do not count. @throws errors of the broker */
export function readHandlers(
  connection: Connection,
  clock: Clock,
  handlers: readonly DeployedHandler[],
  done = NO_LETTERS,
): Promise<readonly HandlerLag[]> {
  return Promise.all(handlers.map((deployed) => readHandler(connection, clock, deployed, done)))
}

async function readHandler(
  connection: Connection,
  clock: Clock,
  deployed: DeployedHandler,
  done: LettersDone,
): Promise<HandlerLag> {
  const { declaration, stream, work } = deployed
  const { name, lanes } = declaration
  const consumers = await Promise.all(
    lanes.map((lane) => known(readWorkConsumer(connection, laneConsumer(declaration, stream, lane), false))),
  )
  const again = await known(readWorkConsumer(connection, dueConsumer(declaration, work), false))
  const sum = (of: (one: NonNullable<typeof again>) => number): number =>
    consumers.reduce((all, one) => all + (one === undefined ? 0 : of(one)), 0)
  const [delayed, due, deadLetters] = await Promise.all([
    subjectsIn(connection, work.name, delayedSubject(work.name, name, '>')),
    subjectsIn(connection, work.name, dueFilter(work.name, name)),
    subjectsIn(
      connection,
      DEAD_LETTER_STREAM,
      `millrace.dead.*.*.handler-${name}`,
      `millrace.dead.*.*.handler-${name}.>`,
    ),
  ])
  return {
    handler: name,
    from: stream.name,
    started: consumers.some((one) => one !== undefined),
    pending: sum(({ pending }) => pending),
    lanes: Object.fromEntries(lanes.map((lane, at) => [lane.name, consumers[at]?.pending ?? 0])),
    inFlight: sum(({ unacknowledged }) => unacknowledged) + (again?.unacknowledged ?? 0),
    delayed,
    due,
    deadLetters: Math.max(0, deadLetters - (done.of.get(`handler-${name}`) ?? 0)),
    paused: consumers.some((one) => one?.paused === true),
    waitsFor: await waitsFor(connection, clock, deployed),
  }
}

/** What a handler depends on that is left alone, endpoints that are gone, and why it stands still. @throws errors of the broker */
export async function waitsFor(
  connection: Connection,
  clock: Clock,
  { declaration: { name, uses }, webhook }: DeployedHandler,
): Promise<readonly string[]> {
  const dependencies = uses.map((dependency) => dependency.name)
  const disabled = webhook === undefined ? [] : await readDisabled(connection, clock, name)
  const stall = await readHandlerStall(connection, clock, name)
  const stalled = stall === undefined ? [] : [`${stall.code}, ${stall.detail}`]
  return [...(await readBreakers(connection, dependencies)), ...disabled.map(disabledLine), ...stalled]
}

function disabledLine({ url, since }: DisabledEndpoint): string {
  return `${url} answered 410 at ${formatTime(since)}: millrace sinks enable`
}

/** Messages of subjects of which each has one. */
async function subjectsIn({ manager }: Connection, stream: string, ...filters: readonly string[]): Promise<number> {
  let count = 0
  for (const filter of filters)
    try {
      const { state } = await manager.streams.info(stream, { subjects_filter: filter })
      for (const messages of Object.values(state.subjects ?? {})) count += messages
    } catch (error) {
      const fault = asFault(error, `reading ${filter}`)
      if (fault.code !== 'STREAM_NOT_FOUND') throw fault
    }
  return count
}

/** A stream that is not there yet has no consumers. */
async function known<T>(reading: Promise<T | undefined>): Promise<T | undefined> {
  try {
    return await reading
  } catch (error) {
    if (isFault(error, 'STREAM_NOT_FOUND')) return undefined
    throw error
  }
}
