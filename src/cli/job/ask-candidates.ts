import { fault } from '../../error/millrace-error.js'
import { anthropicClient } from '../../job/anthropic-client.js'
import type { JobDeclaration } from '../../job/job-options.js'
import type { ModelClient } from '../../job/model-client.js'
import { pricesOf } from '../../job/prices.js'
import { askAgain, type AskAgainEnd, type AskedAgain } from '../../replay/ask-again.js'
import { Spending } from '../../replay/spending.js'
import type { Deployment } from '../../runtime/deployment.js'
import { systemChance } from '../../time/system-chance.js'
import type { CliContext } from '../context.js'
import { createProgress } from '../progress.js'
import type { AnswersFile } from './answers-file.js'
import type { RecordedJob } from './recorded-jobs.js'
import { asks, type ReplayFlags, type Selection } from './replay-flags.js'
import { askedRow, spentIn, type ReplayRow, type Spent } from './replay-rows.js'

/** A job of the past, and how it is declared now. */
export interface Candidate {
  readonly job: RecordedJob
  readonly declaration: JobDeclaration
}

export interface Asking {
  readonly candidates: readonly Candidate[]
  readonly deployment: Deployment
  readonly selection: Selection
  readonly client: ModelClient
  readonly file: AnswersFile
  readonly onRow: (row: ReplayRow) => void
}

/** What is wrong with what is to be asked, before anything is read. @throws USAGE, PROMPT_VERSION_UNKNOWN, PRICE_MISSING */
export function checkAsking({ jobs = [], models }: Deployment, selection: Selection, { maxCost }: ReplayFlags): void {
  if (!asks(selection)) return
  if (maxCost !== undefined && models?.prices === undefined)
    throw fault('USAGE', '--max-cost needs the prices of models.yaml')
  if (selection.promptVersion !== undefined && selection.job === undefined && jobs.length > 1)
    throw fault('USAGE', 'versions of prompts are those of one job: say which with --job')
  for (const { declaration } of jobs) {
    if ((selection.job ?? declaration.name) !== declaration.name) continue
    const { model } = asDeclared(declaration, selection)
    if (models?.prices !== undefined) pricesOf(models.prices, model)
  }
}

/** A job as it is to be asked. @throws PROMPT_VERSION_UNKNOWN */
export function asDeclared(declaration: JobDeclaration, { model, promptVersion }: Selection): JobDeclaration {
  const { prompts, name } = declaration
  const prompt =
    promptVersion === undefined ? declaration.prompt : prompts.find(({ version }) => version === promptVersion)
  if (prompt === undefined) {
    const known = prompts.map(({ version }) => version).join(', ')
    throw fault('PROMPT_VERSION_UNKNOWN', `${name}: version ${promptVersion}; there are: ${known}`)
  }
  return { ...declaration, prompt, model: model ?? declaration.model }
}

export function describeAsked({ model, promptVersion }: Selection): string {
  const parts = [model, promptVersion === undefined ? undefined : `prompt version ${promptVersion}`]
  return parts.filter((part) => part !== undefined).join(', ')
}

/** What answers: the provider, or the stand-in that the environment names. @throws MODEL_KEY_MISSING, MODEL_SDK_MISSING */
export function modelClientOf({ env }: CliContext): Promise<ModelClient> {
  const baseUrl = env['MILLRACE_MODEL_URL'] || env['ANTHROPIC_BASE_URL'] || undefined
  return anthropicClient({ apiKey: env['ANTHROPIC_API_KEY'] || undefined, baseUrl })
}

/** Asks about them, and keeps every answer in the file as it comes. */
export async function askCandidates(
  context: CliContext,
  { concurrency, maxCost }: ReplayFlags,
  { candidates, deployment, selection, client, file, onRow }: Asking,
): Promise<{ readonly ended: AskAgainEnd; readonly spent: Spent }> {
  const { clock, signal } = context
  const progress = createProgress(context, { label: 'asking', unit: 'jobs' })
  const byKey = keyed(candidates)
  const asked = [...byKey].flatMap(([id, { job, declaration }]): AskedAgain[] => {
    const [first] = job.events
    if (first?.type !== 'job.requested') return []
    return [{ request: { ...requestNow(job, first.request), id }, job: asDeclared(declaration, selection) }]
  })
  const { prices } = deployment.models ?? {}
  const most = maxCost === undefined ? undefined : Math.round(maxCost * 1e9)
  const spending = new Spending({ prices, most, spent: spentOf(file).nanos })
  let done = 0
  const kept: Promise<void>[] = []
  try {
    const ended = await askAgain(asked, {
      client,
      clock,
      log: file,
      spending,
      concurrency,
      chance: systemChance,
      signal,
      onDone: ({ request: { id } }, state) => {
        const { job, declaration } = byKey.get(id) as Candidate
        const row = askedRow(job, declaration, { state, events: file.events(id) })
        onRow(row)
        kept.push(file.result(id, row))
        progress.update((done += 1), done / candidates.length)
      },
    })
    await Promise.all(kept)
    return { ended, spent: spentOf(file) }
  } finally {
    progress.end()
  }
}

/** Each under what its answers are kept: its id, or, where the job of another context has that, one of its own. */
function keyed(candidates: readonly Candidate[]): ReadonlyMap<string, Candidate> {
  const byKey = new Map<string, Candidate>()
  for (const candidate of candidates) {
    const { id, stream } = candidate.job
    byKey.set(byKey.has(id) ? `${stream} ${id}` : id, candidate)
  }
  return byKey
}

/** A dead letter that was redriven may have had its input mended. */
function requestNow({ events }: RecordedJob, request: AskedAgain['request']): AskedAgain['request'] {
  const redriven = events.findLast((event) => event.type === 'job.redriven' && event.input !== undefined)
  return redriven?.type === 'job.redriven' ? { ...request, input: redriven.input } : request
}

function spentOf(file: AnswersFile): Spent {
  return spentIn([...file.all()].flat())
}
