import { createHash } from 'node:crypto'
import { causedBy } from '../event/correlation.js'
import type { Event } from '../event/event.js'
import { Seeded } from '../time/seeded.js'
import type { DecideContext } from './actor-options.js'
import type { CommandDraft } from './define-command.js'

/** What is known of an aggregate at one point of its history. */
export interface Aggregate<State = unknown> {
  readonly id: string
  /** How many events it has. */
  readonly version: number
  readonly state: State
  /** Whether `close()` was decided. */
  readonly closed?: boolean
}

/** A command as decide needs it. */
export type CommandAtHand = Event & {
  /** In ms since 1970. */
  readonly storedAt: number
}

/** The context of a decision, from nothing but the command and where the aggregate stands. */
export function decideContext(
  actor: string,
  { id, version }: Pick<Aggregate, 'id' | 'version'>,
  command: CommandAtHand,
): DecideContext {
  let seeded: Seeded | undefined
  const chance = (): Seeded => (seeded ??= new Seeded(JSON.stringify([actor, id, command.source, command.id])))
  return {
    id,
    version,
    now: command.storedAt,
    commandId: command.id,
    correlationId: causedBy(command).correlationId,
    random: () => chance().random(),
    uuid: () => chance().uuid(),
  }
}

/**
 * An id that follows from its cause, of one length however long the chain of causes is: 128 bits of SHA-256 over the parts.
 * @param prefix what it begins with, for people
 */
export function derivedId(prefix: string, ...parts: readonly (string | number)[]): string {
  const hash = createHash('sha256').update(JSON.stringify(parts)).digest().subarray(0, 16).toString('base64url')
  return `${prefix}:${hash}`
}

/** What a command that follows from something does not say itself. */
export interface CommandCause {
  readonly id: string
  readonly source: string
  /** In ms since 1970. */
  readonly time: number
  readonly correlationId: string
  readonly causationId: string
}

/** Makes a command complete; what its author has said wins. */
export function completeCommand(draft: CommandDraft, cause: CommandCause): CommandDraft {
  return {
    ...draft,
    id: draft.id ?? cause.id,
    source: draft.source ?? cause.source,
    time: draft.time ?? cause.time,
    correlationId: draft.correlationId ?? cause.correlationId,
    causationId: draft.causationId ?? cause.causationId,
  }
}
