// What tests of deciders have in common.
import type { ActorDeclaration } from '../../src/actor/actor-options.ts'
import type { Aggregate } from '../../src/actor/aggregate.ts'
import { decideCommand, type Accepted, type DecideResult } from '../../src/actor/decider.ts'
import type { CommandDraft } from '../../src/actor/define-command.ts'
import { newAggregate } from '../../src/actor/evolve.ts'
import type { ErrorCode } from '../../src/error/catalogue.ts'
import { isFault, type MillraceError } from '../../src/error/millrace-error.ts'
import { completeDraft } from '../../src/event/complete.ts'
import type { StoredEvent } from '../../src/event/event.ts'

export const NOW = Date.UTC(2026, 0, 1)

/** A command or an event as the stream has it. */
export function stored(draft: CommandDraft, id = 'c-1', more: Partial<StoredEvent> = {}): StoredEvent {
  const event = completeDraft(draft, { id, source: '/test', time: NOW })
  return { ...event, stream: 'BANK_COMMANDS', sequence: 1, storedAt: NOW, ...more }
}

/** Decides a command at an aggregate, a new one where none is given, with everything checked. */
export function decide<State>(
  actor: ActorDeclaration<State>,
  draft: CommandDraft,
  aggregate: Aggregate<State> = newAggregate(actor, draft.key),
  id?: string,
): DecideResult<State> {
  return decideCommand(actor, aggregate, stored(draft, id), undefined, { strict: true })
}

export function accepted<State>(result: DecideResult<State>): Accepted<State> {
  if (result.kind === 'accepted') return result
  throw new Error(`rejected: ${result.code}`)
}

/** The error with this code that `run` throws. */
export function refusal(code: ErrorCode, run: () => unknown): MillraceError {
  try {
    run()
  } catch (error) {
    if (isFault(error, code)) return error
    throw error
  }
  throw new Error(`no ${code}`)
}
