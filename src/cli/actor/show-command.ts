import { readHistory, type HistoryEntry } from '../../actor/history.js'
import { stateChanges, type StateChange } from '../../actor/state-changes.js'
import { rehydrate } from '../../actor/rehydrate.js'
import type { StoredEvent } from '../../event/event.js'
import { formatTime } from '../../event/rfc3339.js'
import type { CliContext } from '../context.js'
import { printJson } from '../json.js'
import { orStopped } from '../or-stopped.js'
import { firedTimers } from './fired-timers.js'
import { findAggregate, type AtFlags, type Found } from './actor-at.js'
import { printAggregate, printSteps } from './print-aggregate.js'

export interface ShowFlags extends AtFlags {
  readonly diff?: boolean
  readonly limit: number
}

/** One event, and what it changed in the state. */
export interface DiffStep {
  readonly entry: HistoryEntry
  readonly event: StoredEvent
  readonly version: number
  readonly changes: readonly StateChange[]
}

/**
 * Shows the state of an aggregate, now or at a point of the past, and with --diff what each event changed.
 * @throws see findAggregate
 */
export async function showCommand(context: CliContext, type: string, id: string, flags: ShowFlags): Promise<void> {
  const found = await findAggregate(context, type, id, flags)
  const stored =
    found.known.sequence === 0 ? [] : await readHistory(found.place, found.known, flags.diff ? flags.limit : 1)
  const last = await found.personal.read(stored)
  const steps = flags.diff === true ? await orStopped(diffOf(found, last), context.signal) : undefined
  const fired = await orStopped(firedTimers(found, flags), context.signal)
  if (context.json) return printJson(context, showJson(found, fired, last.at(-1), steps))
  printAggregate(context.out, found, fired, last.at(-1))
  if (steps !== undefined) printSteps(context.out, steps)
}

async function diffOf({ place, actor, fold, personal }: Found, entries: readonly HistoryEntry[]): Promise<DiffStep[]> {
  const [first] = entries
  if (first === undefined) return []
  let { state, version } = await rehydrate(place, { actor, fold, personal, upTo: { sequence: first.sequence - 1 } })
  const steps: DiffStep[] = []
  for (const entry of entries)
    for (const event of entry.events) {
      const next = fold({ id: place.id, version, state }, [event])
      version += 1
      steps.push({ entry, event, version, changes: stateChanges(state, next) })
      state = next
    }
  return steps
}

function showJson(
  { place, actor, stream, known }: Found,
  fired: readonly string[],
  last: HistoryEntry | undefined,
  steps?: DiffStep[],
): object {
  const { frame } = known
  return {
    type: actor.name,
    id: place.id,
    stream: stream.name,
    version: known.version,
    sequence: known.sequence === 0 ? null : known.sequence,
    storedAt: last === undefined ? null : formatTime(last.storedAt),
    command: last?.commandId ?? null,
    closed: frame?.z === true,
    archived: frame?.a === undefined ? null : { file: frame.a.f, hash: frame.a.h, messages: frame.a.n },
    state: known.state,
    timers: frame?.t ?? {},
    firedTimers: fired,
    steps: frame?.o ?? [],
    ...(steps === undefined ? {} : { diff: steps.map(stepJson) }),
  }
}

function stepJson({ entry, event, version, changes }: DiffStep): object {
  const { type, data, time, correlationId = null, causationId = null } = event
  const cause = { command: entry.commandId, correlationId, causationId }
  return { version, type, time: formatTime(time), sequence: entry.sequence, ...cause, data, changes }
}
