import type { Connection } from '../../broker/connection.js'
import { readLastMessages } from '../../broker/last-messages.js'
import type { StoredMessage } from '../../broker/stored-message.js'
import { commitFilter, commitSubject, DEAD_LETTER_STREAM, deadLetterSubject } from '../../broker/system-subject.js'
import { fault, isFault } from '../../error/millrace-error.js'
import { decodeHeaderValue } from '../../event/header-value.js'
import { decodeCommitRecord } from '../../kernel/commit-record.js'
import { DEAD_LETTER_HEADER } from '../../kernel/dead-letter.js'
import type { ParkedKey } from '../../kernel/parking/parked-key.js'
import { parkedUnit, type ParkedUnit } from '../../kernel/parking/parked-unit.js'
import { partitionsOf, processorId, type Processor } from '../../kernel/processor.js'
import type { Clock } from '../../time/clock.js'

/** A key that is parked, and where. */
export interface Parked {
  readonly unit: ParkedUnit
  readonly entry: ParkedKey
}

/** Dead letters of one message that are looked at. */
const MOST_FAILURES = 20
/** Dead letters read at a time. */
const AT_ONCE = 32

/**
 * Every parked key of these processors, as of their last commits; the one that is parked longest comes first.
 * @throws COMMIT_RECORD_INVALID, and errors of the broker
 */
export async function parkedKeys(
  connection: Connection,
  clock: Clock,
  processors: readonly Processor[],
): Promise<readonly Parked[]> {
  const commits = new Map<string, ReadonlyMap<string, StoredMessage>>()
  const found: Parked[] = []
  for (const processor of processors) {
    const stream = processor.to.stream.name
    const records = commits.get(stream) ?? (await commitsOf(connection, clock, stream))
    commits.set(stream, records)
    for (const partition of partitionsOf(processor)) {
      const subject = commitSubject(stream, processorId(processor), partition)
      const message = records.get(subject)
      if (message === undefined) continue
      const unit = parkedUnit(processor, partition)
      for (const entry of decodeCommitRecord(message.data, subject).parked) found.push({ unit, entry })
    }
  }
  return found.sort((one, other) => one.entry.time - other.entry.time)
}

/** Events of a key that wait in its park. */
export function waitingOf({ diverted, redriven }: ParkedKey): number {
  return diverted - redriven
}

/**
 * What each of these keys failed with last, by its dead letter; undefined where that is gone.
 * @throws errors of the broker
 */
export async function reasonsOf(connection: Connection, parked: readonly Parked[]): Promise<(string | undefined)[]> {
  const reasons: (string | undefined)[] = []
  for (let at = 0; at < parked.length; at += AT_ONCE)
    reasons.push(...(await Promise.all(parked.slice(at, at + AT_ONCE).map((one) => reasonOf(connection, one)))))
  return reasons
}

/** The processor that somebody means by `rule-velocity`, or by `velocity` alone. @throws DECLARATION_UNKNOWN */
export function processorNamed(processors: readonly Processor[], name: string): Processor {
  const exact = processors.find((processor) => processorId(processor) === name)
  const [first, second] = processors.filter((processor) => processor.name === name)
  if (exact !== undefined) return exact
  if (first !== undefined && second === undefined) return first
  const ids = (second === undefined ? processors : [first as Processor, second]).map((processor) =>
    processorId(processor),
  )
  throw fault('DECLARATION_UNKNOWN', `processor ${JSON.stringify(name)}; there are: ${ids.join(', ')}`)
}

async function commitsOf(
  connection: Connection,
  clock: Clock,
  stream: string,
): Promise<ReadonlyMap<string, StoredMessage>> {
  try {
    return await readLastMessages(connection, clock, stream, commitFilter(stream))
  } catch (error) {
    if (isFault(error, 'STREAM_NOT_FOUND')) return new Map() // nothing was applied yet, so nothing is parked
    throw error
  }
}

async function reasonOf({ manager }: Connection, { unit, entry }: Parked): Promise<string | undefined> {
  try {
    // other events of the same message may have failed too
    for (let number = 0; number < MOST_FAILURES; number++) {
      const subject = deadLetterSubject(unit.input, entry.failed, unit.processor, number === 0 ? '' : String(number))
      const message = await manager.streams.getMessage(DEAD_LETTER_STREAM, { last_by_subj: subject })
      const text = (name: string): string => decodeHeaderValue(message?.header.get(name) ?? '') ?? ''
      if (text(DEAD_LETTER_HEADER.parkedKey) === entry.key) return text(DEAD_LETTER_HEADER.detail)
    }
  } catch {
    // it was dropped, or is not to be read by this user: what is parked is listed all the same
  }
  return undefined
}
