import { parseDuration } from '../time/duration.js'
import type { ActorDeclaration, DecideContext } from './actor-options.js'
import { actorSource } from './aggregate-event.js'
import { completeCommand } from './aggregate.js'
import type { CancelTimerEffect, CloseEffect, Effect, SendEffect } from './decision.js'
import type { CommandDraft } from './define-command.js'

/** A timer with its time in ms since 1970, and its command complete. */
export interface TimerToSet {
  readonly effect: 'set-timer'
  readonly name: string
  readonly at: number
  readonly command: CommandDraft
}

/** A step with the id that is its idempotency key. */
export interface StepToTake {
  readonly effect: 'step'
  readonly id: string
  readonly name: string
  readonly input: unknown
}

/** An effect with everything that follows from its command filled in. */
export type ResolvedEffect = SendEffect | TimerToSet | CancelTimerEffect | StepToTake | CloseEffect

/** Where an effect is decided. */
export interface EffectPlace {
  readonly actor: ActorDeclaration
  readonly context: DecideContext
  /** What the ids of all that follows from this command begin with. */
  readonly idBase: () => string
  /** Its place in the list that decide returned. */
  readonly ordinal: number
  /** Throws DECISION_INVALID. */
  readonly invalid: (detail: string) => never
}

/** @throws DECISION_INVALID */
export function resolveEffect(place: EffectPlace, effect: Effect): ResolvedEffect {
  switch (effect.effect) {
    case 'send':
      return { effect: 'send', command: complete(place, effect.command) }
    case 'set-timer': {
      const { name, at, command } = effect
      requireOwn(place, name, command)
      const time = typeof at === 'number' ? at : place.context.now + parseDuration(at)
      return { effect: 'set-timer', name, at: Math.ceil(time), command: complete(place, command) }
    }
    case 'step': {
      const { name, input } = effect
      const { actor, invalid } = place
      if (!actor.steps.has(name))
        return invalid(
          `step ${JSON.stringify(name)} is not declared; steps: ${[...actor.steps.keys()].join(', ') || 'none'}`,
        )
      return { effect: 'step', id: idOf(place), name, input: plainJson(place, name, input) }
    }
    case 'cancel-timer':
      return { effect: 'cancel-timer', name: effect.name }
    case 'close':
      return { effect: 'close' }
  }
}

/** Whether a timer still counts is known to the aggregate that has set it, and to no other. */
function requireOwn({ actor, context, invalid }: EffectPlace, name: string, { type, key }: CommandDraft): void {
  if (key === context.id && actor.commands.some((own) => own.type === type)) return
  const whose = `${type} for ${JSON.stringify(key)}`
  invalid(
    `timer ${JSON.stringify(name)} has ${whose}: set it with a command for the aggregate itself, which sends that`,
  )
}

/** Of several effects on a timer the last holds. */
export function onePerTimer(effects: readonly ResolvedEffect[]): readonly ResolvedEffect[] {
  if (!effects.some(isTimer)) return effects
  const last = new Map<string, ResolvedEffect>()
  for (const effect of effects) if (isTimer(effect)) last.set(effect.name, effect)
  return effects.filter((effect) => !isTimer(effect) || last.get(effect.name) === effect)
}

function isTimer(effect: ResolvedEffect): effect is TimerToSet | CancelTimerEffect {
  return effect.effect === 'set-timer' || effect.effect === 'cancel-timer'
}

function complete(place: EffectPlace, command: CommandDraft): CommandDraft {
  const { actor, context } = place
  return completeCommand(command, {
    id: idOf(place),
    source: actorSource(actor.name),
    time: context.now,
    correlationId: context.correlationId,
    causationId: context.commandId,
  })
}

function idOf({ idBase, ordinal }: EffectPlace): string {
  return `${idBase()}-${ordinal}`
}

/** The work gets what a restart would give it. */
function plainJson({ invalid }: EffectPlace, name: string, input: unknown): unknown {
  if (input === undefined) return null
  try {
    const text = JSON.stringify(input) as string | undefined
    if (text !== undefined) return JSON.parse(text) as unknown
  } catch {
    // a cycle or a BigInt: no JSON either
  }
  return invalid(`the input of step ${JSON.stringify(name)} is no JSON`)
}
