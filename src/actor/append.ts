// Append
//
// Writes events to aggregates that no actor owns, each on condition that its version is the expected one, all of one call
// or none of it.
//
// Invariants (tests cite them):
//   AP1  Of several writers that expect the same version, one stores its events; the others learn the actual version.
//   AP2  An append whose outcome was not known is stored once: it is sent again on the same condition, and what is there
//        is compared with it.
//   AP3  All aggregates of one call change together, or none does.
import { asFault, outcomeUnknown } from '../broker/api-error.js'
import { BATCH_LIMIT } from '../broker/batch.js'
import { batchQueueOf } from '../broker/batch-queue.js'
import { expectLastOf } from '../broker/expect-last-of.js'
import { newId } from '../broker/new-id.js'
import { fault, isFault, type MillraceError } from '../error/millrace-error.js'
import type { EventDraft } from '../event/event.js'
import type { WireMessage } from '../event/wire.js'
import { recordSubject, recordSubjects } from './aggregate-subject.js'
import { appendTurnsOf } from './append-turns.js'
import { AggregateHeads, type AggregateHead, type HeadPlace } from './aggregate-heads.js'
import { encodeRecord } from './encode-record.js'
import { nameOf } from './read-records.js'

/** The version that an aggregate is to have before: `none`: no events yet; `any`: whichever it has. */
export type ExpectedVersion = number | 'none' | 'any'

/** What is known about an append beside its events. */
export interface AppendMetadata {
  /** Says that appends are the same: one that is repeated with it and the same expected version is stored once. */
  readonly id?: string | undefined
  readonly correlationId?: string | undefined
  /** What caused the events. Default: the append. */
  readonly causationId?: string | undefined
  /** When they happened, in ms since the Unix epoch. Default: now. */
  readonly time?: number | undefined
}

/** Events for one aggregate. */
export interface Append {
  readonly type: string
  readonly id: string
  readonly expected: ExpectedVersion
  readonly events: readonly EventDraft[]
  readonly metadata?: AppendMetadata | undefined
}

export interface Appended {
  /** Version of the aggregate after it. */
  readonly version: number
  /** Where the stream has its last record. */
  readonly sequence: number
}

const FIRST_RETRY_MS = 50
const LAST_RETRY_MS = 2_000
/** A server that was killed takes up to 7 s until it answers again. */
const PATIENCE_MS = 20_000
/** Other writers of an aggregate may be faster that often, for who expects `any`. */
const RACES = 100

interface Planned {
  readonly append: Append
  readonly appendId: string
  readonly head: AggregateHead
}

/** Writes appends of one stream. */
export class Appender {
  readonly #place: HeadPlace
  readonly #heads: AggregateHeads

  /** @param heads how far aggregates are, as far as others have seen */
  constructor(place: HeadPlace, heads = new AggregateHeads(place)) {
    this.#place = place
    this.#heads = heads
  }

  /**
   * @param mayWrite asked before each attempt: an actor may have become their owner
   * @returns in the order of the appends. @throws what mayWrite throws; see EventStore.appendAll
   */
  async store(appends: readonly Append[], mayWrite: () => Promise<void>): Promise<readonly Appended[]> {
    checkAppends(appends)
    const { connection, stream } = this.#place
    const end = await appendTurnsOf(connection).take(
      appends.map(({ type, id }) => `${stream.name} ${recordSubjects(stream, type, id)}`),
    )
    try {
      return await this.#store(appends, mayWrite)
    } finally {
      end()
    }
  }

  async #store(appends: readonly Append[], mayWrite: () => Promise<void>): Promise<readonly Appended[]> {
    const { clock } = this.#place
    const time = clock.now()
    const until = clock.monotonic() + PATIENCE_MS
    const appendIds = appends.map(({ metadata }) => metadata?.id ?? newId())
    let heads = await Promise.all(appends.map((append) => this.#firstHead(append)))
    let [races, wait] = [0, FIRST_RETRY_MS]
    let maybeStored = appends.some(({ metadata }) => metadata?.id !== undefined)
    for (;;) {
      const planned = appends.map((append, at): Planned => {
        return { append, appendId: appendIds[at] as string, head: heads[at] as AggregateHead }
      })
      const known = await this.#attempt(planned, time, mayWrite)
      if (known !== undefined && !isFault(known)) return known
      if (known !== undefined && !isFault(known, 'SEQUENCE_CONFLICT', 'AGGREGATE_HAS_OWNER')) {
        // a connection that was closed does not come back
        const over = clock.monotonic() > until || this.#place.connection.state.kind === 'closed'
        if (!outcomeUnknown(known) || over) throw known
        maybeStored = true
        await clock.sleep(wait)
        wait = Math.min(LAST_RETRY_MS, 2 * wait)
        continue // on the same condition: whichever attempt is stored, it is one of them (AP2)
      }
      const own = maybeStored ? await this.#own(planned) : undefined
      if (own !== undefined) return own
      if (isFault(known, 'AGGREGATE_HAS_OWNER')) throw known
      heads = await Promise.all(appends.map(({ type, id }) => this.#heads.read(type, id)))
      this.#requireExpected(appends, heads)
      if ((races += 1) > RACES) throw known ?? fault('SEQUENCE_CONFLICT', 'other writers are faster')
    }
  }

  /** Where nothing is known of one that is to be new, it is taken to be: the server refuses what is not true. */
  async #firstHead({ type, id, expected }: Append): Promise<AggregateHead> {
    return expected === 'none' || expected === 0
      ? (this.#heads.seen(type, id) ?? { version: 0, sequence: 0 })
      : this.#heads.known(type, id)
  }

  /** @returns undefined: one of them is at another version, as far as is known */
  async #attempt(
    planned: readonly Planned[],
    time: number,
    mayWrite: () => Promise<void>,
  ): Promise<readonly Appended[] | MillraceError | undefined> {
    const { connection, stream } = this.#place
    const groups = planned.map((one) => this.#messages(one, time))
    const messages = groups.flat()
    if (messages.length > BATCH_LIMIT) throw fault('APPEND_INVALID', `${messages.length} messages in one call`)
    try {
      await mayWrite()
      if (!planned.every(({ append, head }) => isExpected(append.expected, head.version))) return undefined
      const last = await batchQueueOf(connection, stream.name).publish(messages)
      let sequence = last - messages.length
      return planned.map(({ append, head }, at) => {
        sequence += groups[at]?.length ?? 0
        const appended = { version: head.version + append.events.length, sequence }
        this.#heads.set(append.type, append.id, appended)
        return appended
      })
    } catch (error) {
      return asFault(error, 'appending')
    }
  }

  #messages({ append, appendId, head }: Planned, time: number): readonly WireMessage[] {
    const { connection, stream } = this.#place
    const { type, id, events, metadata } = append
    const { messages } = encodeRecord({
      type,
      id,
      before: head.version,
      effects: [
        {
          commandId: appendId,
          sequence: 0,
          time: metadata?.time ?? time,
          correlationId: metadata?.correlationId,
          causationId: metadata?.causationId,
          events,
        },
      ],
      root: stream.root,
      maxPayload: connection.server.maxPayload,
    })
    // also when its last record is where another number of partitions has put it
    const expected = expectLastOf(recordSubjects(stream, type, id), head.sequence)
    return messages.map((message, at) =>
      at === 0 ? { ...message, headers: [...message.headers, ...expected] } : message,
    )
  }

  /** What is stored in the place of an append, when it is that append. */
  async #own(planned: readonly Planned[]): Promise<readonly Appended[] | undefined> {
    const found = await Promise.all(
      planned.map(async ({ append, appendId, head }) => {
        const { type, id, expected } = append
        const before = expected === 'any' ? head.version : expected === 'none' ? 0 : expected
        const after = await this.#heads.recordAfter(type, id, before, head)
        return after?.commands.includes(appendId) === true ? after : undefined
      }),
    )
    const all = found.filter((one) => one !== undefined)
    return all.length < planned.length ? undefined : all.map(({ version, sequence }) => ({ version, sequence }))
  }

  #requireExpected(appends: readonly Append[], heads: readonly AggregateHead[]): void {
    for (const [at, append] of appends.entries()) {
      const version = heads[at]?.version ?? 0
      if (isExpected(append.expected, version)) continue
      const detail = `${nameOf(append)}: expected ${append.expected}, it is at version ${version}`
      throw fault('EXPECTED_VERSION_CONFLICT', detail, { issues: [{ pointer: ACTUAL, detail: String(version) }] })
    }
  }
}

const ACTUAL = '/version'

/** The version that the aggregate has, of an error EXPECTED_VERSION_CONFLICT; undefined for any other. */
export function actualVersion(error: unknown): number | undefined {
  if (!isFault(error, 'EXPECTED_VERSION_CONFLICT')) return undefined
  const issue = error.issues.find(({ pointer }) => pointer === ACTUAL)
  return issue === undefined ? undefined : Number(issue.detail)
}

function isExpected(expected: ExpectedVersion, version: number): boolean {
  return expected === 'any' || version === (expected === 'none' ? 0 : expected)
}

function checkAppends(appends: readonly Append[]): void {
  const subjects = new Set<string>()
  for (const append of appends) {
    const { type, id, events, expected } = append
    if (events.length === 0) throw fault('APPEND_INVALID', `${nameOf(append)}: no events`)
    if (typeof expected === 'number' && !(Number.isSafeInteger(expected) && expected >= 0))
      throw fault('APPEND_INVALID', `${nameOf(append)}: expected version ${expected}`)
    subjects.add(recordSubject('', type, id))
  }
  if (appends.length === 0) throw fault('APPEND_INVALID', 'no aggregate')
  if (subjects.size < appends.length) throw fault('APPEND_INVALID', 'an aggregate is named twice')
}
