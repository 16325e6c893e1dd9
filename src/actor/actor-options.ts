import type { EventContract, EventOf } from '../event/contract.js'
import type { Event, EventDraft } from '../event/event.js'
import type { ActorStep, ActorSteps } from './actor-step.js'
import type { CommandContract } from './define-command.js'
import type { CancelTimerEffect, CloseEffect, Decided, SendEffect, SetTimerEffect, StepEffect } from './decision.js'
import type { PersonalDeclaration, PersonalOptions } from './personal-fields.js'
import type { Reaction } from './reaction.js'

// oxlint-disable-next-line typescript/no-explicit-any -- a list of commands of any types
export type Commands = readonly CommandContract<string, any>[]
// oxlint-disable-next-line typescript/no-explicit-any -- a list of events of any types
export type Events = readonly EventContract<string, any>[]

/** What checks a state that was stored: a zod schema, or anything that answers like one. */
export interface ActorStateSchema<State> {
  safeParse(data: unknown):
    | { readonly success: true; readonly data: State }
    | {
        readonly success: false
        readonly error: { readonly issues: readonly { path: PropertyKey[]; message: string }[] }
      }
}

/** What decide may know beside state and command: all of it is the same when the command is decided again. */
export interface DecideContext {
  /** Of the aggregate. */
  readonly id: string
  /** How many events the aggregate has; 0 at its first command. */
  readonly version: number
  /** When the command was stored, in ms since 1970. */
  readonly now: number
  readonly commandId: string
  readonly correlationId: string
  /** A number from 0 up to 1 that follows from the command. Not a secret. */
  random(): number
  /** A UUID of version 8 that follows from the command. Not a secret. */
  uuid(): string
}

/** What becomes of a command whose decision fails. A closed set; see ActorOptions.onError. */
export type ActorOnError = 'park' | 'dead-letter' | 'stop'

/** The draft of a contract that makes one. */
export type Made<Contract> =
  Contract extends EventContract<infer Type, infer Data> ? EventDraft<Type, Data> & { readonly key: string } : never
/** Drafts of the actor’s own events. */
export type DraftIn<List extends Events> = List[number] extends infer Contract
  ? Contract extends EventContract<infer Type, infer Data>
    ? EventDraft<Type, Data>
    : never
  : never
/** Drafts of the actor’s own commands. */
export type CommandIn<List extends Commands> = List[number] extends infer Contract
  ? Contract extends EventContract<infer Type, infer Data>
    ? EventDraft<Type, Data> & { readonly key: string }
    : never
  : never

type InputOfStep<Step> = Step extends ActorStep<infer Input, never> ? Input : never
type StepsIn<Steps extends ActorSteps> = {
  [Name in keyof Steps & string]: StepEffect<
    Name,
    Steps[Name] extends { readonly run: (input: infer Input, ...rest: never[]) => unknown }
      ? Input
      : InputOfStep<Steps[Name]>
  >
}[keyof Steps & string]

/** Effects that decide of an actor may return. */
export type EffectsIn<Steps extends ActorSteps> =
  SendEffect | SetTimerEffect | CancelTimerEffect | CloseEffect | StepsIn<Steps>

export type DecideTable<State, List extends Commands, Made extends Events, Steps extends ActorSteps> = {
  readonly [Type in List[number]['type']]: (
    state: State,
    command: EventOf<Extract<List[number], { readonly type: Type }>>,
    context: DecideContext,
  ) => Decided<DraftIn<Made>, EffectsIn<Steps>>
}

declare const NEVER: unique symbol
/** Makes literals stay literals where a state is written: no value is one. Inference alone would take 'open' for a string. */
type Literally = Hints & { readonly [NEVER]: never }
type Hints = { readonly [name: string]: '' | 0 | false | null | Hints | readonly Hints[] }

export type EvolveTable<State, List extends Events> = {
  readonly [Type in List[number]['type']]: (
    state: State,
    event: EventOf<Extract<List[number], { readonly type: Type }>>,
  ) => State | Literally
}

/** How an actor is declared. */
export interface ActorOptions<State, Taken extends Commands, Kept extends Events, Steps extends ActorSteps> {
  /** Unique in the deployment; letters, digits, _ and -, at most 64. Part of ids and subjects: do not rename. */
  readonly name: string
  /** Version of the state’s shape, from 1. It is stored with each state; see `migrate`. */
  readonly version: number
  /** The shape of a state, checked when a stored one is read back. */
  readonly state?: ActorStateSchema<State>
  /** The state of an aggregate that has no events yet. Of a union of states say its type: `(): OrderState => …`. */
  readonly initial: (id: string) => State
  readonly commands: Taken
  readonly events: Kept
  /**
   * Decides a command: what happens, or why nothing does. Pure and synchronous: it gets the time, chance and ids from its
   * context, and a command is decided again after a crash. One handler for each command.
   */
  readonly decide: DecideTable<NoInfer<State>, Taken, Kept, Steps>
  /** The state after an event. Pure; takes every event that was ever stored, and decides nothing. One handler for each event. */
  readonly evolve: EvolveTable<NoInfer<State>, Kept>
  /** What it does at events of other aggregates; see `on`. */
  readonly reactions?: readonly Reaction<NoInfer<CommandIn<Taken>>>[]
  /**
   * Names of the streams of other contexts to whose actors it sends commands. Those of its own
   * context need not be named. Each makes an outbox that carries what is sent there.
   */
  readonly sends?: readonly string[]
  /** Asynchronous work, begun by `step(name, input)`; see `actorStep`. */
  readonly steps?: Steps
  /** What is true of every state, by name. The test kit checks them after each event; a running actor does not. */
  readonly invariants?: Readonly<Record<string, (state: NoInfer<State>) => boolean>>
  /** Brings a state that an earlier version stored to this one. Without it such a state has to fit `state` as it is. */
  readonly migrate?: (state: unknown, fromVersion: number) => NoInfer<State>
  readonly snapshot?: {
    /** Bytes of JSON up to which the state goes with each decision. Default 1,024. */
    readonly carry?: number
    /** How many events after which a larger state is stored. Default 100. */
    readonly every?: number
    /** How many events an aggregate has to have since its last stored state for that to be stored when it is dropped from memory. Default: it is not. */
    readonly onPassivation?: number
  }
  readonly memory?: {
    /** States that a process keeps in memory for each partition; the one that was not used longest is dropped. Default 10,000. */
    readonly aggregates?: number
  }
  /** How many of its last command ids an aggregate remembers, so that they have one effect for ever. Default 32. */
  readonly remember?: number
  /**
   * What becomes of a command whose decision fails. `park` (default): it is kept as a dead letter, and later commands of
   * its aggregate wait in their order until they are redriven; others go on. `dead-letter`: the aggregate goes on without
   * it. `stop`: the actor stops before it.
   */
  readonly onError?: ActorOnError
  /** Values that are stored sealed, with a key for each subject, so that they can be erased. Default: none. */
  readonly personal?: PersonalOptions
}

/** A declared actor, as discovery finds it. The types of handlers are forgotten; those of its contracts are kept. */
export interface ActorDeclaration<State = unknown, Taken extends Commands = Commands, Kept extends Events = Events> {
  readonly kind: 'actor'
  readonly name: string
  readonly version: number
  readonly schema: ActorStateSchema<unknown> | undefined
  readonly initial: (id: string) => State
  readonly commands: Taken
  readonly events: Kept
  readonly decide: ReadonlyMap<string, (state: unknown, command: Event, context: DecideContext) => unknown>
  readonly evolve: ReadonlyMap<string, (state: unknown, event: Event) => unknown>
  readonly reactions: readonly Reaction<EventDraft>[]
  readonly sends: readonly string[]
  readonly steps: ReadonlyMap<string, DeclaredStep>
  readonly invariants: ReadonlyMap<string, (state: unknown) => unknown>
  readonly migrate: ((state: unknown, fromVersion: number) => unknown) | undefined
  readonly snapshot: {
    readonly carry: number
    readonly every: number
    readonly onPassivation: number | undefined
  }
  readonly memory: { readonly aggregates: number }
  readonly remember: number
  readonly onError: ActorOnError
  readonly personal: PersonalDeclaration | undefined
}

/** A step with its defaults filled in. */
export interface DeclaredStep extends Omit<ActorStep, 'timeout' | 'attempts'> {
  readonly name: string
  /** Of one attempt, in ms. */
  readonly timeout: number
  readonly attempts: number
}
