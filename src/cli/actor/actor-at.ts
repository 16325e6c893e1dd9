import { assertAggregateType } from '../../actor/aggregate-subject.js'
import type { ActorDeclaration } from '../../actor/actor-options.js'
import { PersonalKeys } from '../../actor/personal-keys.js'
import { OpenPersonal, withheldPersonal, type PersonalReader } from '../../actor/read-personal.js'
import type { AggregatePlace } from '../../actor/read-records.js'
import { evolveAll } from '../../actor/evolve.js'
import { rehydrate, type LogPoint, type Rehydrated } from '../../actor/rehydrate.js'
import type { Fold } from '../../actor/aggregate-shape.js'
import type { StreamDeclaration } from '../../broker/define-stream.js'
import { fault, isFault } from '../../error/millrace-error.js'
import { createRegistry } from '../../event/registry.js'
import { formatTime, parseTime } from '../../event/rfc3339.js'
import { parseDuration } from '../../time/duration.js'
import type { CliContext } from '../context.js'
import { orStopped } from '../or-stopped.js'

/** Which point of the log a command looks at. */
export interface AtFlags {
  readonly atSeq?: number
  readonly atTime?: string
  /** Whether personal values are shown. */
  readonly personal?: boolean
}

/** An aggregate of a declared actor. */
export interface Found {
  readonly actor: ActorDeclaration
  readonly stream: StreamDeclaration
  readonly place: AggregatePlace
  readonly fold: Fold
  readonly known: Rehydrated
  /** Reads what is sealed, or leaves it out. */
  readonly personal: PersonalReader
}

/**
 * Finds an aggregate as it is, or was. The actor itself is not asked: the log is read.
 * @throws DECLARATION_UNKNOWN, AGGREGATE_NOT_FOUND, AGGREGATE_ID_INVALID, USAGE, and what rehydrate throws
 */
export async function findAggregate(context: CliContext, type: string, id: string, flags: AtFlags): Promise<Found> {
  const upTo = pointOf(flags, context.clock.now())
  assertAggregateType(type)
  const { actors } = await context.deployment({ rules: false })
  const declared = actors.find(({ actor }) => actor.name === type)
  if (declared === undefined) {
    const known = actors.length === 0 ? 'no actors' : actors.map(({ actor }) => actor.name).join(', ')
    throw fault('DECLARATION_UNKNOWN', `actor ${JSON.stringify(type)}; there are: ${known}`)
  }
  const { actor, stream } = declared
  const connection = await orStopped(context.connect(), context.signal)
  const place = { connection, clock: context.clock, stream, type, id, registry: createRegistry(actor.events) }
  const fold: Fold = (aggregate, events) => evolveAll(actor, aggregate, events).state
  const personal = flags.personal === true ? new OpenPersonal(new PersonalKeys(connection)) : withheldPersonal
  const known = await orStopped(rehydrate(place, { actor, fold, upTo, personal }), context.signal)
  const found = { actor, stream, place, fold, known, personal }
  if (known.sequence === 0 && known.version === 0) throw await notFound(found, upTo, context.signal)
  return found
}

/** What lay before the archive of an aggregate is in its file. */
async function notFound(
  { place, actor, fold }: Found,
  upTo: LogPoint | undefined,
  signal: AbortSignal,
): Promise<Error> {
  const what = `${actor.name} ${JSON.stringify(place.id)}`
  if (upTo === undefined) return fault('AGGREGATE_NOT_FOUND', what)
  const { frame } = await orStopped(rehydrate(place, { actor, fold, personal: withheldPersonal }), signal)
  const archive = frame?.a === undefined ? '' : `; what was before its archive is in the file ${frame.a.f}`
  return fault('AGGREGATE_NOT_FOUND', `${what}, ${byThen(upTo)}${archive}`)
}

/** @throws USAGE */
function pointOf({ atSeq, atTime }: AtFlags, now: number): LogPoint | undefined {
  if (atSeq !== undefined && atTime !== undefined) throw fault('USAGE', 'look --at-seq or --at-time, not at both')
  if (atSeq !== undefined) return { sequence: atSeq }
  return atTime === undefined ? undefined : { time: timeOf('--at-time', atTime, now) }
}

/** A time as an option says it, in ms since 1970. @throws USAGE */
export function timeOf(option: string, text: string, now: number): number {
  const time = parseTime(text) ?? parseTime(`${text}T00:00:00Z`)
  if (time !== undefined) return time
  try {
    return now - parseDuration(text)
  } catch (error) {
    if (!isFault(error, 'DURATION_INVALID')) throw error
    const detail = `${option} ${JSON.stringify(text)}; write 2026-01-31T12:00:00Z, 2026-01-31, or 2h for two hours ago`
    throw fault('USAGE', detail, { cause: error })
  }
}

function byThen(upTo: LogPoint): string {
  return 'sequence' in upTo ? `up to sequence ${upTo.sequence}` : `up to ${formatTime(upTo.time)}`
}
