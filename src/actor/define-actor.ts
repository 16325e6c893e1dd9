import { fault, isFault } from '../error/millrace-error.js'
import type { EventContract } from '../event/contract.js'
import { parseDuration } from '../time/duration.js'
import type { ActorDeclaration, ActorOnError, ActorOptions, Commands, DeclaredStep, Events } from './actor-options.js'
import type { ActorStep, ActorSteps } from './actor-step.js'
import { isCommandContract } from './define-command.js'
import { personalOf } from './personal-fields.js'

const NAME = /^[A-Za-z0-9_-]{1,64}$/
const ON_ERROR: readonly ActorOnError[] = ['park', 'dead-letter', 'stop']
const STEP_TIMEOUT = 30_000
const STEP_ATTEMPTS = 5

type AnyOptions = ActorOptions<unknown, Commands, Events, ActorSteps>

/**
 * Declares an actor as a decider: one aggregate for each key of its commands, whose commands are handled one at a time in
 * their order, and whose state is what evolve makes of its events. What decide returns is stored in one batch with the
 * position, so that a command has one effect whatever crashes.
 *
 * @example
 * defineActor({
 *   name: 'account', version: 1,
 *   initial: () => ({ balance: 0 }),
 *   commands: [Withdraw], events: [Withdrawn],
 *   decide: {
 *     'account.withdraw': (state, { data, key }) =>
 *       data.amount > state.balance
 *         ? reject('insufficient-funds', `there is ${state.balance}`)
 *         : [Withdrawn({ accountId: data.accountId, amount: data.amount })],
 *   },
 *   evolve: { 'account.withdrawn': (state, { data }) => ({ balance: state.balance - data.amount }) },
 * })
 * @throws ACTOR_INVALID
 */
export function defineActor<
  State,
  const Taken extends Commands,
  const Kept extends Events,
  Steps extends ActorSteps = Record<never, never>,
>(options: ActorOptions<State, Taken, Kept, Steps>): ActorDeclaration<State, Taken, Kept> {
  const given = options as unknown as AnyOptions
  if (typeof given !== 'object' || given === null) throw fault('ACTOR_INVALID', 'defineActor takes an object')
  const { name } = given
  const invalid: Refuse = (detail) => {
    throw fault('ACTOR_INVALID', `${name}: ${detail}`)
  }
  if (typeof name !== 'string' || !NAME.test(name)) invalid('name may have letters, digits, _ and -, at most 64')
  if (!isCount(given.version)) invalid(`version ${given.version} must be a whole number from 1`)
  if (typeof given.initial !== 'function') invalid('initial is missing')
  const commands = contractsOf('commands', given.commands, invalid)
  const events = contractsOf('events', given.events, invalid)
  requireKinds(commands, events, invalid)
  const { snapshot, memory, remember = 32, onError = 'park' } = given
  if (!ON_ERROR.includes(onError)) invalid(`onError ${JSON.stringify(onError)} is not known: ${ON_ERROR.join(', ')}`)
  if (!isWhole(remember, 0)) invalid(`remember ${remember} must be a whole number from 0`)
  return Object.freeze({
    kind: 'actor',
    name,
    version: given.version,
    schema: given.state,
    initial: options.initial as (id: string) => State,
    commands: commands as unknown as Taken,
    events: events as unknown as Kept,
    decide: handlersOf('decide', given.decide, commands, invalid) as ActorDeclaration['decide'],
    evolve: handlersOf('evolve', given.evolve, events, invalid) as ActorDeclaration['evolve'],
    reactions: reactionsOf(given.reactions, invalid),
    sends: sendsOf(given.sends, invalid),
    steps: stepsOf(given.steps ?? {}, invalid),
    invariants: functionsOf('invariants', given.invariants ?? {}, invalid) as ActorDeclaration['invariants'],
    migrate: given.migrate,
    snapshot: {
      carry: count('snapshot.carry', snapshot?.carry ?? 1_024, 0, invalid),
      every: count('snapshot.every', snapshot?.every ?? 100, 1, invalid),
      onPassivation:
        snapshot?.onPassivation === undefined
          ? undefined
          : count('snapshot.onPassivation', snapshot.onPassivation, 1, invalid),
    },
    memory: { aggregates: count('memory.aggregates', memory?.aggregates ?? 10_000, 1, invalid) },
    remember,
    onError,
    personal: personalOf(given.personal, events, given.state, invalid),
  })
}

type Refuse = (detail: string) => never

function contractsOf(what: string, given: unknown, invalid: Refuse): readonly EventContract[] {
  if (!Array.isArray(given) || given.length === 0) return invalid(`${what} is empty`)
  const list = given as readonly EventContract[]
  for (const [at, contract] of list.entries()) {
    if (typeof contract !== 'function' || typeof contract.type !== 'string') invalid(`${what}[${at}] is no contract`)
    if (list.findIndex(({ type }) => type === contract.type) !== at) invalid(`${what} has ${contract.type} twice`)
  }
  return Object.freeze([...list])
}

function requireKinds(commands: readonly EventContract[], events: readonly EventContract[], invalid: Refuse): void {
  for (const contract of commands)
    if (!isCommandContract(contract)) invalid(`commands: ${contract.type} is an event; declare it with defineCommand`)
  for (const contract of events)
    if (isCommandContract(contract)) invalid(`events: ${contract.type} is a command; declare it with defineEvent`)
  const both = events.find(({ type }) => commands.some((command) => command.type === type))
  if (both !== undefined) invalid(`${both.type} is a command and an event`)
}

/** One handler for each contract and none beside. */
function handlersOf(
  what: string,
  given: unknown,
  contracts: readonly EventContract[],
  invalid: Refuse,
): ReadonlyMap<string, unknown> {
  const handlers = functionsOf(what, given, invalid)
  const missing = contracts.filter(({ type }) => !handlers.has(type)).map(({ type }) => type)
  if (missing.length > 0) invalid(`${what} has no handler for ${missing.join(', ')}`)
  const unknown = [...handlers.keys()].filter((type) => !contracts.some((contract) => contract.type === type))
  if (unknown.length > 0) invalid(`${what} has a handler for ${unknown.join(', ')}, which is not declared`)
  return handlers
}

function functionsOf(what: string, given: unknown, invalid: Refuse): ReadonlyMap<string, unknown> {
  if (typeof given !== 'object' || given === null) return invalid(`${what} is missing`)
  const entries = Object.entries(given) as [string, unknown][]
  for (const [name, handler] of entries)
    if (typeof handler !== 'function') invalid(`${what}[${JSON.stringify(name)}] is no function`)
  return new Map(entries)
}

function reactionsOf(given: AnyOptions['reactions'], invalid: Refuse): ActorDeclaration['reactions'] {
  const reactions = given ?? []
  for (const [at, reaction] of reactions.entries()) {
    if (typeof reaction?.react !== 'function') return invalid(`reactions[${at}] is not made by on(…)`)
    const { contract, stream } = reaction
    const same = reactions.findIndex((other) => other.contract.type === contract.type && other.stream === stream)
    if (same !== at) invalid(`reactions has ${contract.type} of ${stream} twice`)
  }
  return Object.freeze([...reactions])
}

function sendsOf(given: readonly string[] = [], invalid: Refuse): readonly string[] {
  if (!Array.isArray(given) || given.some((stream: unknown) => typeof stream !== 'string' || stream === ''))
    return invalid("sends takes names of streams, as in ['PAYMENTS']")
  return Object.freeze([...new Set<string>(given)])
}

function stepsOf(given: ActorSteps, invalid: Refuse): ReadonlyMap<string, DeclaredStep> {
  return new Map(
    Object.entries(given).map(([name, step]: [string, ActorStep]): [string, DeclaredStep] => {
      if (typeof name !== 'string' || !NAME.test(name))
        invalid(`steps: ${JSON.stringify(name)} may have letters, digits, _ and -, at most 64`)
      for (const part of ['run', 'done', 'failed'] as const)
        if (typeof step?.[part] !== 'function') invalid(`steps.${name}.${part} is missing`)
      const attempts = count(`steps.${name}.attempts`, step.attempts ?? STEP_ATTEMPTS, 1, invalid)
      const timeout = durationOf(`steps.${name}.timeout`, step.timeout ?? STEP_TIMEOUT, invalid)
      return [name, Object.freeze({ ...step, name, attempts, timeout })]
    }),
  )
}

function durationOf(what: string, given: string | number, invalid: Refuse): number {
  try {
    const ms = parseDuration(given)
    return ms > 0 ? ms : invalid(`${what} must be longer than nothing`)
  } catch (error) {
    if (isFault(error, 'DURATION_INVALID')) return invalid(`${what} ${JSON.stringify(given)} is no duration`)
    throw error
  }
}

function count(what: string, given: number, least: number, invalid: Refuse): number {
  return isWhole(given, least) ? given : invalid(`${what} ${given} must be a whole number from ${least}`)
}

function isCount(given: unknown): boolean {
  return isWhole(given, 1)
}

function isWhole(given: unknown, least: number): boolean {
  return typeof given === 'number' && Number.isSafeInteger(given) && given >= least
}
