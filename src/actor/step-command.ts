import { fault, messageOf } from '../error/millrace-error.js'
import type { StepOutcome } from '../kernel/decision.js'
import type { ActorDeclaration } from './actor-options.js'
import { actorSource } from './aggregate-event.js'
import { completeCommand, derivedId } from './aggregate.js'
import type { StepToTake } from './decided-effect.js'
import { isPromise, nameOf } from './decision.js'
import type { CommandDraft } from './define-command.js'
import { commandsOf, isOwnCommand } from './react.js'

/** What a step belongs to. */
export interface StepPlace {
  /** Of the aggregate. */
  readonly id: string
  readonly correlationId: string
  /** Id of the command whose decision began the step. */
  readonly causationId: string
  /** When its result is taken, in ms since 1970. */
  readonly time: number
}

/**
 * The command that the result of a step becomes, by `done` or `failed`.
 * @throws STEP_RESULT_FAILED naming the step
 */
export function stepCommand(
  actor: ActorDeclaration,
  { id, name, input }: Omit<StepToTake, 'effect'>,
  outcome: StepOutcome,
  place: StepPlace,
): CommandDraft {
  const step = actor.steps.get(name)
  const at = `${actor.name} ${place.id}, step ${name} (${id})`
  if (step === undefined) throw fault('STEP_RESULT_FAILED', `${at}: it is no longer declared`)
  const what = outcome.ok ? 'done' : 'failed'
  let made: unknown
  try {
    made = outcome.ok ? step.done(outcome.value, input, place.id) : step.failed(outcome.error, input, place.id)
  } catch (error) {
    throw fault('STEP_RESULT_FAILED', `${at}: ${what} threw: ${messageOf(error)}`, { cause: error })
  }
  if (isPromise(made)) throw fault('STEP_RESULT_FAILED', `${at}: ${what} returned a promise`)
  if (!isOwnCommand(actor, made))
    throw fault('STEP_RESULT_FAILED', `${at}: ${what} made ${nameOf(made)}; commands are ${commandsOf(actor)}`)
  if (made.key !== place.id)
    throw fault(
      'STEP_RESULT_FAILED',
      `${at}: ${what} made a command for ${JSON.stringify(made.key)}, another aggregate`,
    )
  return completeCommand(made, {
    id: derivedId(`${actor.name}:${place.id}`, id),
    source: actorSource(actor.name),
    time: place.time,
    correlationId: place.correlationId,
    causationId: place.causationId,
  })
}
