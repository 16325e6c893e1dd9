import './load-typescript.js'
import { readdir, readFile, stat } from 'node:fs/promises'
import { join, relative, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
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
import type { ViewDeclaration } from '../view/view-options.js'
import { isCode, loadCodeRule } from './load-code-rule.js'
import { holdRxjs } from './hold-rxjs.js'
import { requireNoCycle, requireStreams, requireUnique, requireUniqueViews } from './require-declared.js'

export interface DiscoverParts {
  /** False leaves the rules out, for who looks at their files himself. */
  readonly rules?: boolean
}

/**
 * Loads what a folder declares: one folder per bounded context, each with `stream.ts`, `events.ts`, `pipelines/*.ts`,
 * `actors/*.ts`, `views/*.ts` and `rules/*.yaml` or `rules/*.ts`. TypeScript is loaded as it is.
 * @throws STREAMS_FOLDER_MISSING, DECLARATION_INVALID, RULE_INVALID (with file, line and column), RULE_CYCLIC,
 *   CONTRACT_DUPLICATE,
 *   RXJS_FOREIGN
 */
export async function discover(folder: string, parts: DiscoverParts = {}): Promise<Deployment> {
  const root = resolve(folder)
  const contexts = await contextsIn(root)
  await holdRxjs(root)
  const streams: StreamDeclaration[] = []
  const commands: StreamDeclaration[] = []
  const contracts = new Contracts()
  const pipelines: DeclaredPipeline[] = []
  const actors: DeployedActor[] = []
  const views: ViewDeclaration[] = []
  for (const context of contexts) {
    const declared = await loadDefault<StreamDeclaration>(context, 'stream', ['stream'])
    const own = withActors(declared, await loadAll<ActorDeclaration>(join(context, 'actors'), ['actor']))
    streams.push(own.stream)
    if (own.commands !== undefined) commands.push(own.commands)
    actors.push(...own.actors)
    contracts.add(await loadContracts(context), own)
    contracts.addActors(own)
    pipelines.push(...(await loadAll<DeclaredPipeline>(join(context, 'pipelines'), ['pipeline', 'keyed'])))
    views.push(...(await loadAll<ViewDeclaration>(join(context, 'views'), ['view'])))
  }
  requireUniqueViews(views)
  requireUnique(
    'actor',
    actors.map(({ actor }) => actor.name),
  )
  requireUnique(
    'pipeline',
    pipelines.map(({ name }) => name),
  )
  const registry = createRegistry(contracts.all)
  const rules = parts.rules === false ? [] : await loadRules(contexts, registry)
  requireUnique(
    'rule',
    rules.map(({ rule }) => rule.name),
  )
  requireStreams(streams, pipelines, rules, views)
  requireNoCycle(rules)
  const all = [...streams, ...commands, ...mergeStreamsOf({ streams, pipelines })]
  requireUnique(
    'stream',
    all.map(({ name }) => name),
  )
  return { folder: root, streams: all, registry, pipelines, rules, actors, views, homes: contracts.homes }
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

async function loadAll<T extends { readonly kind: string }>(folder: string, kinds: readonly T['kind'][]): Promise<T[]> {
  const loaded: T[] = []
  for (const file of await names(folder, /\.(ts|js|mjs)$/)) loaded.push(await loadDefault<T>(folder, file, kinds))
  return loaded
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

async function loadDefault<T extends { readonly kind: string }>(
  folder: string,
  name: string,
  kinds: readonly T['kind'][],
): Promise<T> {
  const path = await modulePath(folder, name)
  const declared = (await load(path))['default'] as Partial<T> | undefined
  if (declared?.kind !== undefined && kinds.includes(declared.kind)) return declared as T
  const definers = kinds.map((kind) => `define${kind[0]?.toUpperCase()}${kind.slice(1)}`).join(' or ')
  throw fault('DECLARATION_INVALID', `${path}: its default export is no ${kinds[0]} (${definers})`)
}

async function load(path: string): Promise<Record<string, unknown>> {
  try {
    return (await import(pathToFileURL(path).href)) as Record<string, unknown>
  } catch (error) {
    if (isFault(error)) throw fault(error.code, `${path}: ${error.detail}`, { issues: error.issues, cause: error })
    throw fault('DECLARATION_INVALID', `${path}: ${messageOf(error)}`, { cause: error })
  }
}

async function modulePath(folder: string, name: string): Promise<string> {
  for (const candidate of [name, `${name}.ts`, `${name}.js`, `${name}.mjs`])
    if (/\.(ts|js|mjs)$/.test(candidate) && (await isFile(join(folder, candidate)))) return join(folder, candidate)
  throw fault('DECLARATION_INVALID', `${join(folder, name)}.ts is missing`)
}

function isContract(value: unknown): value is EventContract {
  return typeof value === 'function' && 'type' in value && 'check' in value && 'schema' in value
}

async function names(folder: string, pattern = /./): Promise<string[]> {
  if (!(await isFolder(folder))) return []
  return (await readdir(folder)).filter((name) => pattern.test(name) && !name.endsWith('.d.ts')).sort()
}

async function isFolder(path: string): Promise<boolean> {
  return (await stat(path).catch(missing))?.isDirectory() ?? false
}

async function isFile(path: string): Promise<boolean> {
  return (await stat(path).catch(missing))?.isFile() ?? false
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR')
}

/** A path that does not exist is an answer; anything else, such as a folder that may not be read, is an error. */
function missing(error: unknown): undefined {
  if (isMissing(error)) return undefined
  throw fault('INPUT_UNREADABLE', messageOf(error), { cause: error })
}
