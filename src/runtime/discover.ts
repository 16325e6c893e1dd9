import './load-typescript.js'
import { readFile } from 'node:fs/promises'
import { join, relative, resolve } from 'node:path'
import type { ActorDeclaration } from '../actor/actor-options.js'
import type { StreamDeclaration } from '../broker/define-stream.js'
import { parseRule } from '../cep/rule/parse-rule.js'
import { contractLookup } from '../cep/rule/contract-lookup.js'
import type { Rule } from '../cep/rule/rule.js'
import { fault, isFault, messageOf } from '../error/millrace-error.js'
import type { EventContract } from '../event/contract.js'
import { createRegistry, type Registry } from '../event/registry.js'
import type { DeclaredPipeline } from '../pipeline/declared-pipeline.js'
import { Contracts, withActors, type DeployedActor } from './context-actors.js'
import { mergeStreamsOf, type Deployment, type RuleFile } from './deployment.js'
import type { HandlerDeclaration } from '../delivery/handler-options.js'
import type { JobDeclaration } from '../job/job-options.js'
import type { OutboxDeclaration } from '../outbox/outbox-options.js'
import type { ScheduleDeclaration } from '../schedule/schedule-options.js'
import type { ViewDeclaration } from '../view/view-options.js'
import {
  captureStreamsOf,
  deployEdges,
  SINK_KINDS,
  SOURCE_KINDS,
  webhooksAmong,
  type SinkDeclaration,
  type SourceDeclaration,
} from './deployed-edges.js'
import { byOrder, deployHandlers, workStreamsOf } from './deployed-handlers.js'
import { deployJobs, jobStreamsOf } from './deployed-jobs.js'
import { deployOutboxes } from './outboxes-at-work.js'
import { deploySchedules } from './schedules-at-work.js'
import { loadModels, requireModels } from './load-models.js'
import { isCode, loadCodeRule } from './load-code-rule.js'
import { isFolder, isMissing, load, loadAll, loadDefault, modulePath, names } from './load-declarations.js'
import { holdRxjs } from './hold-rxjs.js'
import { requireNoCycle, requireStreams, requireUnique, requireUniqueViews } from './require-declared.js'

export interface DiscoverParts {
  /** False leaves the rules out, for who looks at their files himself. */
  readonly rules?: boolean
}

/**
 * Loads what a folder declares: one folder per bounded context, each with `stream.ts`, `events.ts`, `pipelines/*.ts`,
 * `actors/*.ts`, `views/*.ts`, `handlers/*.ts`, `jobs/*.ts`, `outboxes/*.ts`, `sinks/*.ts`, `sources/*.ts`, `schedules/*.ts` and
 * `rules/*.yaml` or `rules/*.ts`; and `models.yaml` beside them. TypeScript is loaded as it is.
 * @throws STREAMS_FOLDER_MISSING, DECLARATION_INVALID, RULE_INVALID and MODELS_INVALID (with file, line and column), RULE_CYCLIC,
 *   CONTRACT_DUPLICATE, RXJS_FOREIGN, PRICE_MISSING, MODEL_CLASS_UNKNOWN
 */
export async function discover(folder: string, parts: DiscoverParts = {}): Promise<Deployment> {
  const root = resolve(folder)
  const contexts = await contextsIn(root)
  await holdRxjs(root)
  const [streams, commands]: [StreamDeclaration[], StreamDeclaration[]] = [[], []]
  const contracts = new Contracts()
  const [actors, folders]: [DeployedActor[], Map<string, string>] = [[], new Map()]
  const [pipelines, views]: [DeclaredPipeline[], ViewDeclaration[]] = [[], []]
  for (const context of contexts) {
    const declared = await loadDefault<StreamDeclaration>(context, 'stream', ['stream'])
    const own = withActors(declared, await loadAll<ActorDeclaration>(join(context, 'actors'), ['actor']))
    streams.push(own.stream)
    if (own.commands !== undefined) commands.push(own.commands)
    for (const stream of [own.stream, own.commands]) if (stream !== undefined) folders.set(stream.name, context)
    actors.push(...own.actors)
    contracts.add(await loadContracts(context), own)
    contracts.addActors(own)
    pipelines.push(...(await loadAll<DeclaredPipeline>(join(context, 'pipelines'), ['pipeline', 'keyed'])))
    views.push(...(await loadAll<ViewDeclaration>(join(context, 'views'), ['view'])))
  }
  requireUniqueViews(views)
  const namesOf = (all: readonly { readonly name: string }[]): string[] => all.map(({ name }) => name)
  requireUnique('actor', namesOf(actors.map(({ actor }) => actor)))
  requireUnique('pipeline', namesOf(pipelines))
  const registry = createRegistry(contracts.all)
  const rules = parts.rules === false ? [] : await loadRules(contexts, registry)
  requireUnique('rule', namesOf(rules.map(({ rule }) => rule)))
  requireStreams(streams, pipelines, rules, views)
  requireNoCycle(rules)
  const { handlers, ...beside } = deployBeside(await declaredBeside(contexts), streams, registry)
  const models = await loadModels(root)
  requireModels(
    beside.jobs.map(({ declaration }) => declaration),
    models,
  )
  const captures = captureStreamsOf(beside.edges)
  const merges = mergeStreamsOf({ streams, pipelines })
  const works = [...workStreamsOf(handlers), ...jobStreamsOf(beside.jobs)]
  const all = [...streams, ...commands, ...works, ...captures, ...merges]
  requireUnique('stream', namesOf(all))
  const declared = { pipelines, rules, actors, views, ...byOrder(handlers), ...beside, homes: contracts.homes }
  const known = models === undefined ? {} : { models }
  return { folder: root, streams: all, registry, ...declared, ...known, contexts: folders }
}

type DeclaredBeside = Awaited<ReturnType<typeof declaredBeside>>

function deployBeside(declared: DeclaredBeside, streams: readonly StreamDeclaration[], registry: Registry) {
  const jobs = deployJobs(declared.jobs, streams, registry)
  return {
    handlers: deployHandlers(declared.handlers, streams, { webhooks: webhooksAmong(declared.sinks), jobs }),
    jobs,
    outboxes: deployOutboxes(declared.outboxes, streams),
    schedules: deploySchedules(declared.schedules, streams),
    edges: deployEdges(declared.sinks, declared.sources, streams),
  }
}

/** What contexts declare beside processors. */
async function declaredBeside(contexts: readonly string[]) {
  const all = async <T extends { readonly kind: string }>(
    folder: string,
    kinds: readonly T['kind'][],
  ): Promise<T[]> => {
    const loaded: T[] = []
    for (const context of contexts) loaded.push(...(await loadAll<T>(join(context, folder), kinds)))
    return loaded
  }
  return {
    handlers: await all<HandlerDeclaration>('handlers', ['handler']),
    jobs: await all<JobDeclaration>('jobs', ['job']),
    outboxes: await all<OutboxDeclaration>('outboxes', ['outbox']),
    schedules: await all<ScheduleDeclaration>('schedules', ['schedule']),
    sinks: await all<SinkDeclaration>('sinks', SINK_KINDS),
    sources: await all<SourceDeclaration>('sources', SOURCE_KINDS),
  }
}

/** Paths of every rule file in a `streams/` folder, whatever is in them. @throws STREAMS_FOLDER_MISSING */
export async function ruleFilesIn(folder: string): Promise<string[]> {
  return rulePaths(await contextsIn(resolve(folder)))
}

async function contextsIn(root: string): Promise<string[]> {
  if (!(await isFolder(root))) throw fault('STREAMS_FOLDER_MISSING', root)
  const contexts: string[] = []
  for (const name of await names(root)) {
    const context = join(root, name)
    if (await isFolder(context)) contexts.push(context)
  }
  if (contexts.length === 0) throw fault('STREAMS_FOLDER_MISSING', `${root} has no folder in it`)
  return contexts
}

async function rulePaths(contexts: readonly string[]): Promise<string[]> {
  const paths: string[] = []
  for (const context of contexts)
    for (const name of await names(join(context, 'rules'), /\.(ya?ml|ts|js|mjs)$/))
      paths.push(join(context, 'rules', name))
  return paths
}

async function loadRules(contexts: readonly string[], registry: Registry): Promise<RuleFile[]> {
  const loaded: RuleFile[] = []
  const issues: { file: string; error: unknown }[] = []
  for (const path of await rulePaths(contexts)) {
    const file = relative('', path)
    try {
      const text = await readRuleText(path)
      const rule = await ruleFrom(path, text, registry)
      loaded.push(isCode(path) ? { file, rule } : { file, text, rule })
    } catch (error) {
      issues.push({ file, error })
    }
  }
  if (issues.length === 0) return loaded
  const all = issues.flatMap(({ error }) => (isFault(error) ? error.issues : []))
  const first = issues[0]?.error
  if (!isFault(first)) throw first
  throw fault(first.code, issues.map(({ file }) => file).join(', '), { issues: all, cause: first })
}

/** Reads one rule file and checks it against the contracts, if there are. @throws RULE_INVALID, INPUT_UNREADABLE */
export async function loadRule(path: string, registry: Registry | undefined): Promise<Rule> {
  return ruleFrom(path, await readRuleText(path), registry)
}

/** @throws INPUT_UNREADABLE */
export async function readRuleText(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    throw fault('INPUT_UNREADABLE', `${path}: ${isMissing(error) ? 'there is no such file' : messageOf(error)}`, {
      cause: error,
    })
  }
}

async function ruleFrom(path: string, text: string, registry: Registry | undefined): Promise<Rule> {
  if (isCode(path)) return loadCodeRule(path, text, registry)
  const file = relative('', path)
  return parseRule(text, registry === undefined ? { file } : { file, contracts: contractLookup(registry) })
}

async function loadContracts(context: string): Promise<EventContract[]> {
  const path = await modulePath(context, 'events')
  const module = await load(path)
  const contracts = Object.values(module).filter(isContract)
  if (contracts.length === 0) throw fault('DECLARATION_INVALID', `${path} exports no event (defineEvent)`)
  return contracts
}

function isContract(value: unknown): value is EventContract {
  return typeof value === 'function' && 'type' in value && 'check' in value && 'schema' in value
}
