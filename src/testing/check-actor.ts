import type { ActorDeclaration, CommandIn, Commands, Events } from '../actor/actor-options.js'
import { isRejection, type Rejection } from '../actor/decision.js'
import type { CommandDraft } from '../actor/define-command.js'
import { fault, isFault, messageOf } from '../error/millrace-error.js'
import { stepFailed, stepSucceeded } from '../kernel/step-outcome.js'
import { parseDuration } from '../time/duration.js'
import { installGuard } from '../time/guard.js'
import { ActorRun, type TestDecision } from './actor-run.js'
import { arbitraryOf } from './arbitrary-of.js'
import type { Arbitrary, CheckDetails, FastCheck } from './fast-check.js'
import { firstDifference, plainJson } from './first-difference.js'

/** What an actor is compared with: something simpler that has to come to the same. */
export interface ActorModel<Model, State, Command> {
  readonly initial: (id: string) => Model
  /** The model after a command, or the rejection that is expected; its code is compared. Commands of timers and steps come too. */
  readonly apply: (model: Model, command: Command) => Model | Rejection
  /** What of the actor’s state the model has to be. Default: the state. */
  readonly view?: (state: State) => unknown
}

/** How an actor is tried. */
export interface CheckActorOptions<State, Taken extends Commands, Model> {
  /** Data of commands, by type, in place of what is made from their schemas. */
  readonly commands?: { readonly [Type in Taken[number]['type']]?: Arbitrary<unknown> }
  /** Aggregates that commands go to, where one member of their data is the key. Default `a` and `b`. */
  readonly ids?: readonly string[]
  readonly model?: ActorModel<Model, State, CommandIn<Taken>>
  /** Results of steps, by name. A step fails as well; one that has no results here only fails. */
  readonly steps?: Readonly<Record<string, Arbitrary<unknown>>>
  /** Spans by which time goes on now and then, such as `30m`. Default: it stands still. */
  readonly advance?: readonly string[]
  /** Whether each command is decided as after a restart too. Default true. */
  readonly alwaysReplay?: boolean
  /** How many histories. Default 100. */
  readonly runs?: number
  /** Most moves of a history. Default 30. */
  readonly moves?: number
  /** Of a run that failed, to repeat it. */
  readonly seed?: number
  readonly path?: string
}

type Move =
  | { readonly kind: 'command'; readonly command: CommandDraft }
  | { readonly kind: 'advance'; readonly by: string }
  | { readonly kind: 'step'; readonly ok: boolean; readonly results: Readonly<Record<string, unknown>> }

const START = Date.UTC(2026, 0, 1)

/**
 * Gives an actor random histories of commands, time and results of steps: whatever comes, handlers don't fail, invariants
 * hold after each event, a replay decides the same, and it does what the model does. A failure is shrunk to the shortest
 * history that still has it, and told move by move.
 *
 * @param fc fast-check: `import * as fc from 'fast-check'`
 * @throws the error of the shortest failing history, with the history in its detail; TEST_DIFFERS it is not as the model
 */
export function checkActor<State, Taken extends Commands, Kept extends Events, Model = unknown>(
  fc: FastCheck,
  actor: ActorDeclaration<State, Taken, Kept>,
  options: CheckActorOptions<State, Taken, Model> = {},
): void {
  installGuard()
  const { runs = 100, moves = 30, seed, path } = options
  const all = fc.array(moveOf(fc, actor, options), { maxLength: moves }) as unknown
  const property: unknown = fc.property(all, (history: readonly Move[]) => void trial(actor, options, history, []))
  const given = { numRuns: runs, ...(seed === undefined ? {} : { seed }), ...(path === undefined ? {} : { path }) }
  const details = fc.check(property, given) as CheckDetails
  if (!details.failed) return
  const history = details.counterexample?.[0] as readonly Move[]
  const lines: string[] = []
  let failure: unknown
  try {
    trial(actor, options, history, lines)
  } catch (error) {
    failure = error
  }
  const again = `{ seed: ${details.seed}, path: ${JSON.stringify(details.counterexamplePath)} }`
  const told = [`shrunk ${details.numShrinks} times, again with ${again}`, ...lines, `✗ ${messageOf(failure)}`]
  throw fault(isFault(failure) ? failure.code : 'TEST_DIFFERS', `\n  ${told.join('\n  ')}\n`, { cause: failure })
}

function moveOf<State, Taken extends Commands, Model>(
  fc: FastCheck,
  actor: ActorDeclaration<State, Taken>,
  { commands = {}, ids = ['a', 'b'], steps = {}, advance = [] }: CheckActorOptions<State, Taken, Model>,
): Arbitrary<Move> {
  const given = commands as Readonly<Record<string, Arbitrary<unknown> | undefined>>
  const all: Arbitrary<Move>[] = actor.commands.map((contract) => {
    const data = given[contract.type] ?? arbitraryOf(fc, contract, ids)
    return data.map((data): Move => ({ kind: 'command', command: contract(data) }))
  })
  if (advance.length > 0)
    all.push(
      (fc.constantFrom(...advance) as Arbitrary<string>).map((by): Move => ({
        kind: 'advance',
        by,
      })),
    )
  if (actor.steps.size > 0)
    all.push(
      (fc.tuple(fc.boolean(), fc.record(steps, {})) as Arbitrary<[boolean, Record<string, unknown>]>).map(
        ([ok, results]): Move => ({ kind: 'step', ok, results }),
      ),
    )
  return fc.oneof(...all) as Arbitrary<Move>
}

/** @param lines gets what happened, move by move */
function trial<State, Taken extends Commands, Model>(
  actor: ActorDeclaration<State, Taken>,
  { model, alwaysReplay = true }: CheckActorOptions<State, Taken, Model>,
  history: readonly Move[],
  lines: string[],
): void {
  const run = new ActorRun<State>(actor, START, alwaysReplay)
  const models = new Map<string, Model>()
  for (const [at, move] of history.entries()) {
    run.decisions = []
    const about = `${at + 1}. ${describe(move, run)}`
    lines.push(about)
    perform(move, run)
    const outcomes = run.decisions.map(({ command, result }) => {
      const came = move.kind === 'command' && run.decisions.length === 1 ? '' : `${command.type} `
      return `${came}→ ${result.kind === 'rejected' ? `rejected ${result.code}` : result.events.map(({ type }) => type).join(', ') || 'nothing'}`
    })
    lines[lines.length - 1] = `${about} ${outcomes.join('; ')}`.trimEnd()
    if (model !== undefined) for (const decision of run.decisions) compare(model, models, decision)
  }
}

function perform<State>(move: Move, run: ActorRun<State>): void {
  if (move.kind === 'command') return run.take(move.command)
  if (move.kind === 'advance') return run.moveTo(run.now + parseDuration(move.by))
  const [open] = run.steps
  if (open === undefined) return
  const { name } = open
  const succeeds = move.ok && name in move.results
  run.settle(name, succeeds ? stepSucceeded({ name }, move.results[name]) : stepFailed(new Error('the step failed')))
}

/** @throws TEST_DIFFERS */
function compare<State, Model, Command>(
  model: ActorModel<Model, State, Command>,
  models: Map<string, Model>,
  { command, result }: TestDecision<State>,
): void {
  const id = command.key ?? ''
  const before = models.has(id) ? (models.get(id) as Model) : model.initial(id)
  const expected = model.apply(before, command as unknown as Command)
  const [wanted, found] = [
    isRejection(expected) ? expected.code : 'accepted',
    result.kind === 'rejected' ? result.code : 'accepted',
  ]
  if (wanted !== found) throw fault('TEST_DIFFERS', `the model says ${wanted}, the actor ${found}`)
  if (isRejection(expected) || result.kind === 'rejected') return
  models.set(id, expected)
  const view = model.view === undefined ? result.state : model.view(result.state)
  const difference = firstDifference(plainJson(expected), plainJson(view))
  if (difference !== undefined) throw fault('TEST_DIFFERS', `the model first, the actor second: ${difference}`)
}

function describe<State>(move: Move, run: ActorRun<State>): string {
  if (move.kind === 'command') return `${move.command.type} ${JSON.stringify(move.command.data)}`
  if (move.kind === 'advance') return `time goes on by ${move.by}`
  const [open] = run.steps
  return open === undefined
    ? 'no step is open'
    : `step ${open.name} ${move.ok && open.name in move.results ? `gives ${JSON.stringify(move.results[open.name])}` : 'fails'}`
}
