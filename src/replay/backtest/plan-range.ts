import { asFault } from '../../broker/api-error.js'
import type { Connection } from '../../broker/connection.js'
import { nextMessage } from '../../broker/next-message.js'
import type { StoredMessage } from '../../broker/stored-message.js'
import type { Rule } from '../../cep/rule/rule.js'
import { decodeEvents } from '../../event/decode-event.js'
import { fault } from '../../error/millrace-error.js'
import type { Registry } from '../../event/registry.js'
import type { Clock } from '../../time/clock.js'
import { readRange } from '../read-range.js'
import { resolveRange, type RangeNotice, type ReplayStart } from '../replay-range.js'
import { wantedEvents, type WantsType } from '../wanted-types.js'

/** The part of a stream that rules are run over. */
export interface PlanRequest {
  readonly connection: Connection
  readonly clock: Clock
  readonly registry: Registry
  readonly signal?: AbortSignal
  readonly stream: string
  readonly rules: readonly Rule[]
  /** More event types that are read. */
  readonly types?: readonly string[]
  readonly from: ReplayStart
  /** Where it ends: the last sequence, or a time in ms before which the last one was stored. Default: what is stored now. */
  readonly to?: ReplayStart | undefined
  /** How much is read before it, in ms; default as much as matters, see {@link reachOf}. */
  readonly warmUp?: number | undefined
}

export interface RangePlan {
  readonly stream: string
  /** Stored subjects that are read. */
  readonly filters: readonly string[]
  /** Which of the events in them are meant; undefined: all. */
  readonly wants: WantsType | undefined
  /** Where reading begins, to find what began before the range. */
  readonly readFrom: number
  /** First and last sequence of the range; `last` is less than `first` when there is nothing in it. */
  readonly first: number
  readonly last: number
  /** Messages that are read. */
  readonly of: number
  /** When the first message of the range was stored; undefined when there is none. */
  readonly begins: number | undefined
  /** Until when time passes after the last event: when the next message was stored, or now. In ms. */
  readonly ends: number
  /** What is read before covers all that may matter. */
  readonly isWarm: boolean
  readonly notices: readonly RangeNotice[]
}

/** How often more is read before the range, because event time is slower than the clock of the stream. */
const ATTEMPTS = 6

/**
 * How far back of an event what a rule finds may depend on others, in ms: twice its window, since a match of the window
 * before may have used up events of this one. Infinity: on everything before.
 */
export function reachOf(rules: readonly Rule[]): number {
  const reach = ({ executable: { reach = Number.POSITIVE_INFINITY }, lateness, idle }: Rule): number =>
    2 * reach + lateness + idle
  return Math.max(...rules.map(reach))
}

/**
 * Finds out what is to be read. Leaves nothing behind on the server.
 * @throws REPLAY_RANGE_INVALID, STREAM_NOT_FOUND and errors of the broker
 */
export async function planRange(request: PlanRequest): Promise<RangePlan> {
  const { connection, stream, rules, from, to, warmUp = reachOf(rules) } = request
  const types = [...new Set([...rules.flatMap(({ eventTypes }) => eventTypes), ...(request.types ?? [])])]
  const end =
    to?.kind === 'time' ? (await resolveRange(connection, { stream, from: to, types })).first - 1 : to?.sequence
  if (end === 0) throw fault('REPLAY_RANGE_INVALID', `nothing of ${stream} was stored before the end`)
  const range = await resolveRange(connection, { stream, from, types, ...(end === undefined ? {} : { to: end }) })
  const { source, filters, wants, first, notices } = range
  const last = range.last ?? source.last
  const begins = first > last ? undefined : (await nextMessage(connection, stream, '>', first))?.storedAt
  const { readFrom, isWarm } = await warmUpFrom(request, {
    types,
    filters,
    wants,
    first,
    last,
    begins,
    warmUp,
    begin: source.first,
  })
  const of =
    readFrom < first && last >= first
      ? ((await resolveRange(connection, { stream, types, from: { kind: 'sequence', sequence: readFrom }, to: last }))
          .of ?? 0)
      : (range.of ?? 0)
  const ends = (await nextMessage(connection, stream, '>', last + 1))?.storedAt ?? (await streamNow(connection, stream))
  return { stream, filters, wants, readFrom, first, last, of, begins, ends, isWarm, notices }
}

interface WarmUp {
  readonly types: readonly string[]
  readonly filters: readonly string[]
  readonly wants: WantsType | undefined
  readonly first: number
  readonly last: number
  readonly begins: number | undefined
  readonly warmUp: number
  /** First sequence of the stream. */
  readonly begin: number
}

/**
 * Where to begin reading. History is found by the time of storing; when the events there are not old enough by their own
 * time, because they were stored slower than they happened, it reads from further back.
 */
async function warmUpFrom(request: PlanRequest, at: WarmUp): Promise<{ readFrom: number; isWarm: boolean }> {
  const { connection, stream } = request
  const { first, begins, warmUp, begin, types } = at
  const all = { readFrom: begin, isWarm: warmUp > 0 }
  if (begins === undefined || first <= begin) return { readFrom: first, isWarm: true }
  if (warmUp === 0) return { readFrom: first, isWarm: false }
  if (warmUp === Number.POSITIVE_INFINITY) return all
  const reached = await eventTime(request, at, first)
  for (let attempt = 0, back = warmUp; attempt < ATTEMPTS; attempt++, back *= 4) {
    const from = { kind: 'time', time: Math.max(0, begins - back) } as const
    const readFrom = Math.min(first, (await resolveRange(connection, { stream, from, types })).first)
    if (readFrom <= begin) return all
    const earliest = await eventTime(request, at, readFrom)
    if (reached === undefined || earliest === undefined || reached - earliest >= warmUp || request.warmUp !== undefined)
      return { readFrom, isWarm: true }
  }
  return all
}

/** Time of the first event from a sequence on. */
async function eventTime(
  request: PlanRequest,
  { filters, wants, last }: WarmUp,
  sequence: number,
): Promise<number | undefined> {
  const { connection, clock, registry, stream } = request
  const stop = new AbortController()
  let found: number | undefined
  const timeIn = (message: StoredMessage): number | undefined => {
    const { sequence: at, storedAt } = message
    const decoded = wantedEvents(decodeEvents(registry, message, { stream, sequence: at, storedAt }), wants)
    const time = decoded.find((one) => one.kind === 'event')?.event.time
    return time ?? (wants === undefined || decoded.length > 0 ? storedAt : undefined)
  }
  await readRange(connection, {
    stream,
    filters,
    first: sequence,
    last,
    credit: 16,
    clock,
    signal: request.signal === undefined ? stop.signal : AbortSignal.any([stop.signal, request.signal]),
    take: (messages) => {
      for (const message of messages) {
        found = timeIn(message)
        if (found !== undefined) return stop.abort()
      }
    },
  })
  return found
}

/** What the clock of the server says that leads the stream, in ms. */
async function streamNow(connection: Connection, stream: string): Promise<number> {
  try {
    const { ts, state } = await connection.manager.streams.info(stream)
    return Date.parse(ts ?? '') || Date.parse(state.last_ts as unknown as string)
  } catch (error) {
    throw asFault(error, `reading ${stream}`)
  }
}
