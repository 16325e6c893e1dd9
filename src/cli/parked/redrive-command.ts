import type { Connection } from '../../broker/connection.js'
import { EXIT } from '../../error/exit-code.js'
import { fault, isFault, type MillraceError } from '../../error/millrace-error.js'
import {
  redriveKey,
  type RedriveCounts,
  type RedriveOptions,
  type RedriveOutcome,
} from '../../kernel/parking/redrive-key.js'
import { processorId } from '../../kernel/processor.js'
import { processorsOf } from '../../runtime/processors.js'
import type { CliContext } from '../context.js'
import { printJson } from '../json.js'
import { createProgress, type Progress } from '../progress.js'
import { count, counted } from '../table.js'
import { parkedKeys, processorNamed, waitingOf, type Parked } from './parked-keys.js'

export interface RedriveFlags {
  readonly all?: boolean
  readonly skip?: boolean
  readonly dryRun?: boolean
}

/** Keys at a time. */
const AT_ONCE = 8

interface Done extends Parked {
  readonly outcome: RedriveOutcome | undefined
  /** Why the key is not back. */
  readonly problem: MillraceError | undefined
}

/**
 * Brings parked keys back: their events go to the processor again, in order. With one key, it fails with why the key is
 * not back; with all of them, each is tried, and the exit code says whether some are not.
 * @throws USAGE, DECLARATION_UNKNOWN, PARKED_KEY_NOT_FOUND, PARKED_KEY_FAILED, PARKED_KEY_BUSY, PARKED_EVENTS_GONE,
 *   REDRIVE_NOT_TAKEN; what reading the declarations throws, and errors of the broker
 */
export async function redriveCommand(
  context: CliContext,
  name: string,
  key: string | undefined,
  flags: RedriveFlags,
): Promise<void> {
  if ((key === undefined) === (flags.all !== true))
    throw fault('USAGE', `of ${name}, name a key, or say --all, not both`)
  const processor = processorNamed(processorsOf(await context.deployment()), name)
  const connection = await context.connect()
  const parked = await parkedKeys(connection, context.clock, [processor])
  const chosen = key === undefined ? parked : parked.filter(({ entry }) => entry.key === key)
  if (chosen.length === 0 && key !== undefined)
    throw fault('PARKED_KEY_NOT_FOUND', `${processorId(processor)}: key ${JSON.stringify(key)}`)
  if (flags.dryRun === true) return preview(context, chosen, flags)
  const done = await redriveAll(context, connection, chosen, flags)
  if (context.json) printJson(context, { redriven: done.map(doneJson) })
  else if (done.length === 0) context.out.line('no parked keys')
  const [problem] = done.flatMap((one) => one.problem ?? [])
  if (problem === undefined) return
  if (key !== undefined && !context.json) throw problem
  context.exitWith(EXIT.check)
}

async function redriveAll(
  context: CliContext,
  connection: Connection,
  chosen: readonly Parked[],
  { skip = false, all = false }: RedriveFlags,
): Promise<Done[]> {
  const { clock, signal, json, out, err } = context
  const progress = createProgress(context, { label: 'redriving', unit: 'events' })
  const counts = new Counts(progress, chosen)
  const done: Done[] = []
  const redrive = async (one: Parked): Promise<void> => {
    const onProgress = ({ redriven }: { readonly redriven: number }): void => counts.update(one, redriven)
    const options = { clock, signal, skip, onProgress }
    const result = await redriveOne(connection, one, options)
    if (result.problem !== undefined && result.outcome === undefined && !all) throw result.problem
    done.push(result)
    counts.update(one, (result.outcome?.redriven ?? 0) + (result.outcome?.passed ?? 0))
    if (json) return
    progress.clear()
    const { problem, outcome } = result
    if (problem === undefined) out.line(`${named(one)} is back${outcome === undefined ? '' : `: ${doneText(outcome)}`}`)
    else if (all) err.line(err.style('yellow', `${problem.code}: ${problem.detail}`))
  }
  try {
    for (let at = 0; at < chosen.length; at += AT_ONCE) await Promise.all(chosen.slice(at, at + AT_ONCE).map(redrive))
  } finally {
    progress.end()
  }
  return done
}

/** What is wrong with one key keeps no other from being redriven. @throws errors of the broker */
async function redriveOne(connection: Connection, one: Parked, options: RedriveOptions): Promise<Done> {
  try {
    const outcome = await redriveKey(connection, one.unit, one.entry.key, options)
    return { ...one, outcome, problem: problemOf(one, outcome) }
  } catch (error) {
    if (isFault(error, 'PARKED_EVENTS_GONE', 'PARKED_KEY_NOT_FOUND'))
      return { ...one, outcome: undefined, problem: error }
    throw error
  }
}

/** How many events of several keys are redriven. */
class Counts {
  readonly #progress: Progress
  readonly #redriven = new Map<Parked, number>()
  readonly #all: number

  constructor(progress: Progress, chosen: readonly Parked[]) {
    this.#progress = progress
    this.#all = chosen.reduce((sum, { entry }) => sum + waitingOf(entry), 0)
  }

  update(one: Parked, redriven: number): void {
    this.#redriven.set(one, redriven)
    let sum = 0
    for (const each of this.#redriven.values()) sum += each
    this.#progress.update(sum, Math.min(1, sum / Math.max(1, this.#all)))
  }
}

function named({ unit, entry }: Parked): string {
  return `${unit.processor}: key ${JSON.stringify(entry.key)}`
}

function doneText({ redriven, passed }: RedriveCounts): string {
  return `${counted(redriven, 'event')} redriven${passed === 0 ? '' : `, ${count(passed)} left out`}`
}

/** Why a key is not back; undefined when it is. */
function problemOf(one: Parked, outcome: RedriveOutcome): MillraceError | undefined {
  const rest = `${doneText(outcome)}, ${counted(outcome.waiting, 'event')} waiting`
  switch (outcome.kind) {
    case 'back':
      return undefined
    case 'failed':
      return fault(
        'PARKED_KEY_FAILED',
        `${named(one)}, ${outcome.code} at sequence ${outcome.sequence} of ${one.unit.input}; ${rest}`,
      )
    case 'busy':
      return fault('PARKED_KEY_BUSY', `${named(one)}; ${rest}`)
    case 'not-taken':
      return fault('REDRIVE_NOT_TAKEN', `${named(one)}; ${rest}`)
  }
}

function doneJson({ unit, entry, outcome, problem }: Done): object {
  const { processor, partition } = unit
  const of = { processor, partition, key: entry.key }
  if (outcome === undefined) return { ...of, outcome: 'refused', code: problem?.code, detail: problem?.detail }
  const { kind, ...rest } = outcome
  return { ...of, outcome: kind, ...rest }
}

function preview(context: CliContext, chosen: readonly Parked[], { skip = false }: RedriveFlags): void {
  const events = chosen.reduce((sum, { entry }) => sum + waitingOf(entry), 0)
  if (context.json)
    return printJson(context, {
      dryRun: true,
      keys: chosen.map(({ unit, entry }) => ({
        processor: unit.processor,
        partition: unit.partition,
        key: entry.key,
        waiting: waitingOf(entry),
      })),
    })
  for (const one of chosen)
    context.out.line(
      `${named(one)}: would redrive ${counted(waitingOf(one.entry) - (skip ? 1 : 0), 'event')}` +
        `${skip ? ', without the one that failed' : `, beginning with the one that failed with ${one.entry.code}`}`,
    )
  context.err.line(`${counted(chosen.length, 'key')}, ${counted(events, 'event')}; nothing was published`)
}
