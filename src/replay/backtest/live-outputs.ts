import type { Connection } from '../../broker/connection.js'
import type { StoredMessage } from '../../broker/stored-message.js'
import { decodeAll } from '../../event/decode.js'
import type { Envelope } from '../../event/envelope.js'
import type { EventDraft } from '../../event/event.js'
import type { Processor } from '../../kernel/processor.js'
import type { Clock } from '../../time/clock.js'
import { livePositions } from '../live-positions.js'
import { outputPlaces } from '../output-places.js'
import { readRange } from '../read-range.js'
import { readSource } from '../source-stream.js'
import { MOST_EXAMPLES, pairUp } from './difference.js'
import type { FoundMatch } from './found-match.js'
import type { RangePlan } from './plan-range.js'

/** Where to find what a rule has emitted. */
export interface LivePlace {
  readonly rule: string
  /** What runs it, and stores what it emits. */
  readonly processor: Processor
  /** CloudEvents source of what it emits. */
  readonly source: string
  readonly types: readonly string[]
}

/** An event that a rule has emitted. */
export interface LiveOutput {
  readonly id: string
  readonly type: string
  readonly key: string | undefined
  readonly time: number
  readonly data: unknown
  readonly causationId: string | undefined
  /** Sequence of the message that led to it. */
  readonly cause: number
  /** Revision of the rule that emitted it, where it says so. */
  readonly revision: string | undefined
}

export interface LiveDifference {
  readonly common: number
  /** For the same event at the same time, but with other content. */
  readonly otherwise: number
  readonly onlyHere: number
  readonly onlyThere: number
  /** Found with events that the live rule has not come to yet. */
  readonly ahead: number
  /** Up to which sequence of the range the live rule has come; less than its first when it has not run there. */
  readonly reached: number
  readonly examples: {
    readonly otherwise: readonly { readonly here: FoundMatch; readonly there: LiveOutput }[]
    readonly onlyHere: readonly FoundMatch[]
    readonly onlyThere: readonly LiveOutput[]
  }
}

interface Here {
  readonly found: FoundMatch
  readonly draft: EventDraft
}

/** What a rule would emit in the range, to be compared with what it has emitted. */
export class LiveOutputs {
  readonly all: Here[] = []

  here(found: FoundMatch): void {
    if ('event' in found.emitted) this.all.push({ found, draft: found.emitted.event })
  }
}

interface CompareOptions {
  readonly connection: Connection
  readonly clock: Clock
  readonly signal?: AbortSignal
  readonly place: LivePlace
  readonly plan: RangePlan
  /** Event time that is taken to have come at the end of the range: what time alone brings later is not of it. */
  readonly until: number
  /** Told when each live output of the range happened. */
  readonly onOutput: (time: number) => void
}

/** @throws STREAM_NOT_FOUND, COMMIT_RECORD_INVALID and errors of the broker */
export async function comparedWithLive({ all }: LiveOutputs, options: CompareOptions): Promise<LiveDifference> {
  const { connection, place, plan, until, onOutput } = options
  const { furthest } = await livePositions(connection, place.processor)
  const stored = await readOutputs(options)
  for (const { time } of stored) onOutput(time)
  // what only time brought, of events before the range, cannot be told from what came before it
  const here = all.filter(({ found }) => found.match.last.sequence >= plan.first)
  const same = pairUp(here, stored, (item) => `${placeOf(item)}\n${contentOf(item)}`)
  const { pairs, left, right: rest } = pairUp(same.left, same.right, placeOf)
  const right = rest.filter(({ time }) => time <= until)
  const known = left.filter(({ found }) => found.at <= furthest)
  return {
    common: same.pairs.length,
    otherwise: pairs.length,
    onlyHere: known.length,
    onlyThere: right.length,
    ahead: left.length - known.length,
    reached: Math.min(plan.last, furthest),
    examples: {
      otherwise: pairs.slice(0, MOST_EXAMPLES).map(([{ found }, there]) => ({ here: found, there })),
      onlyHere: known.slice(0, MOST_EXAMPLES).map(({ found }) => found),
      onlyThere: right.slice(0, MOST_EXAMPLES),
    },
  }
}

/** Where in the log it belongs: which event led to it, and when. */
function placeOf(item: Here | LiveOutput): string {
  const { causationId, time } = 'draft' in item ? item.draft : item
  return `${causationId ?? ''}\n${time ?? ''}`
}

function contentOf(item: Here | LiveOutput): string {
  const { type, key, data } = 'draft' in item ? item.draft : item
  return JSON.stringify([type, key, data])
}

async function readOutputs({ connection, clock, signal, place, plan }: CompareOptions): Promise<LiveOutput[]> {
  const outputs = new Map<string, LiveOutput>()
  for (const { stream, filters } of outputPlaces(place.processor, place.types)) {
    const { first, last } = await readSource(connection, stream)
    await readRange(connection, {
      stream,
      filters,
      // in the stream that it reads, what it emits comes after what led to it
      first: stream === plan.stream ? Math.max(first, plan.first) : first,
      last,
      clock,
      signal,
      take: (messages) => {
        for (const message of messages)
          for (const output of outputsIn(message, place))
            if (output.cause >= plan.first && output.cause <= plan.last) outputs.set(output.id, output)
      },
    })
    signal?.throwIfAborted()
  }
  return [...outputs.values()].sort((one, other) => one.cause - other.cause)
}

function outputsIn(message: StoredMessage, { source }: LivePlace): LiveOutput[] {
  const outputs: LiveOutput[] = []
  for (const decoded of decodeAll(message))
    if (decoded.kind === 'envelope' && decoded.envelope.source === source) outputs.push(outputOf(decoded.envelope))
  return outputs
}

/** The id has the sequence of the cause: see outputId. */
function outputOf({ id, type, key, time = 0, data, causationId, attributes }: Envelope): LiveOutput {
  const cause = Number(/-(\d+)-\d+$/.exec(id)?.[1] ?? Number.NaN)
  return { id, type, key, time, data, causationId, cause, revision: attributes['rulerevision'] }
}
