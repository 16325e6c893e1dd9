import type { StreamConfig, StreamSource } from '@nats-io/jetstream'
import { fault } from '../error/millrace-error.js'
import { asFault } from './api-error.js'
import type { Connection } from './connection.js'
import type { StreamDeclaration } from './define-stream.js'
import { partitioningOf } from './partitioning.js'
import { replacedInput } from './replaced-input.js'
import { advisoryConfig, deadLetterConfig, streamConfig, type ManagedConfig } from './stream-config.js'
import { deployedSources, sameSources, type SourceConfig } from './stream-sources.js'
import { streamTaking } from './stream-taking.js'
import { isWork } from './work-stream.js'

/** One setting that differs. */
export interface Change {
  readonly setting: string
  readonly deployed: unknown
  readonly declared: unknown
}

/** What `apply` would do about one stream. */
export type PlanStep =
  | { readonly kind: 'unchanged'; readonly stream: string; readonly config: ManagedConfig }
  | { readonly kind: 'create'; readonly stream: string; readonly config: ManagedConfig }
  | {
      readonly kind: 'update'
      readonly stream: string
      readonly config: ManagedConfig
      readonly changes: readonly Change[]
    }
  /** JetStream cannot change it in place, or changing it would break the order of keys. */
  | {
      readonly kind: 'refused'
      readonly stream: string
      readonly config: ManagedConfig
      readonly changes: readonly Change[]
      readonly reason: string
    }

/** Settings that the server does not change once a stream exists, or that Millrace must not change in place. */
const FIXED: Readonly<Record<string, string>> = {
  storage: 'JetStream cannot move a stream to another storage',
  retention: 'the retention policy of a stream with events is not changed in place',
  subject_transform: 'other partitions for stored keys would break their order',
  metadata:
    'its inputs have other numbers of partitions than before: keys would be elsewhere, which breaks their order',
}

/**
 * Compares declarations with what is deployed, changing nothing. The dead-letter stream is part of every deployment,
 * and the stream of what the server gave up on of each that has handlers.
 * @throws STREAM_INVALID two declarations have the same name or root; BROKER_TIMEOUT and others of the broker
 */
export async function planStreams(
  connection: Connection,
  declarations: readonly StreamDeclaration[],
): Promise<PlanStep[]> {
  const replicas = Math.max(1, ...declarations.map((stream) => stream.replicas))
  const handles = declarations.some(isWork)
  const own = [deadLetterConfig(replicas), ...(handles ? [advisoryConfig(replicas)] : [])]
  const wanted = [...declarations.map(streamConfig), ...own]
  requireDistinct(wanted)
  const steps: PlanStep[] = []
  for (const config of wanted) {
    const deployed = await deployedConfig(connection, config.name)
    if (deployed === undefined) steps.push(await planCreate(connection, config))
    else steps.push((await refusedMerge(connection, config, deployed)) ?? compare(config, deployed))
  }
  return steps
}

function requireDistinct(wanted: readonly ManagedConfig[]): void {
  const subjects = new Map<string, string>()
  const names = new Set<string>()
  for (const { name, subjects: own } of wanted) {
    if (names.has(name)) throw fault('STREAM_INVALID', `two streams are named ${name}`)
    names.add(name)
    for (const subject of own) {
      const other = subjects.get(subject)
      if (other !== undefined) throw fault('STREAM_INVALID', `${other} and ${name} have the same root (${subject})`)
      subjects.set(subject, name)
    }
  }
}

/** A subject belongs to one stream only: the server refuses another, and so does the plan, before anything is done. */
async function planCreate(connection: Connection, config: ManagedConfig): Promise<PlanStep> {
  for (const subject of config.subjects) {
    const taking = await streamTaking(connection, subject)
    if (taking.kind === 'unknown') throw taking.reason
    if (taking.kind === 'none') continue
    const changes = [{ setting: 'subjects', deployed: undefined, declared: config.subjects }]
    const reason = `stream ${taking.name} takes messages of ${subject} already`
    return { kind: 'refused', stream: config.name, config, changes, reason }
  }
  return { kind: 'create', stream: config.name, config }
}

/** Why a stream that is filled from others cannot be what is declared, whatever its settings. */
async function refusedMerge(
  connection: Connection,
  config: ManagedConfig,
  deployed: StreamConfig,
): Promise<PlanStep | undefined> {
  if (config.sources === undefined) return undefined
  const { name: stream } = config
  if (deployedSources(deployed).length === 0) {
    const changes = [{ setting: 'sources', deployed: undefined, declared: config.sources }]
    const reason = `there is a stream ${stream} that is not filled from others: rename it, or the pipeline`
    return { kind: 'refused', stream, config, changes, reason }
  }
  const replaced = await replacedInput(connection, config, deployed)
  if (replaced === undefined) return undefined
  const { name, known, created } = replaced
  const changes = [{ setting: `input ${name}`, deployed: known, declared: created }]
  const reason = `${name} was deleted and made again: restore it, or delete ${stream} too and let its pipeline begin again`
  return { kind: 'refused', stream, config, changes, reason }
}

async function deployedConfig(connection: Connection, name: string): Promise<StreamConfig | undefined> {
  try {
    return (await connection.manager.streams.info(name)).config
  } catch (error) {
    const known = asFault(error, `reading stream ${name}`)
    if (known.code === 'STREAM_NOT_FOUND') return undefined
    throw known
  }
}

/** Pure: which step makes `deployed` equal to `config` in every setting that Millrace manages. */
export function compare(config: ManagedConfig, deployed: StreamConfig): PlanStep {
  const actual = deployed as unknown as Record<string, unknown>
  const changes: Change[] = Object.entries(config)
    .filter(([setting, declared]) => !isAsDeclared(setting, declared, actual[setting]))
    .map(([setting, declared]) => ({ setting, deployed: actual[setting], declared }))
  const stream = config.name
  if (changes.length === 0) return { kind: 'unchanged', stream, config }
  const reason =
    repartitioned(config, deployed) ?? changes.map(({ setting }) => FIXED[setting]).find((text) => text !== undefined)
  return reason === undefined
    ? { kind: 'update', stream, config, changes }
    : { kind: 'refused', stream, config, changes, reason }
}

/** Why another number of partitions is not put in place like any setting, and what does it. */
function repartitioned(config: ManagedConfig, deployed: StreamConfig): string | undefined {
  if (config.sources !== undefined) return undefined
  const [is, wanted] = [partitioningOf(deployed), partitioningOf({ ...config, metadata: {} })]
  if (is === undefined || wanted === undefined || is.partitions === wanted.partitions) return undefined
  const command = `millrace streams repartition ${config.name} --to ${wanted.partitions}`
  return `it has ${is.partitions} partitions: with ${wanted.partitions}, keys would be elsewhere, away from their state. To change that: ${command}`
}

function isAsDeclared(setting: string, declared: unknown, deployed: unknown): boolean {
  if (setting === 'sources')
    return sameSources(declared as SourceConfig[], deployedSources({ sources: (deployed ?? []) as StreamSource[] }))
  if (setting !== 'metadata') return same(declared, deployed)
  const notes = (deployed ?? {}) as Record<string, string>
  return Object.entries(declared as Record<string, string>).every(([note, text]) => (notes[note] ?? text) === text)
}

function same(declared: unknown, deployed: unknown): boolean {
  if (isEmpty(declared) || isEmpty(deployed)) return isEmpty(declared) && isEmpty(deployed)
  if (Array.isArray(declared) && Array.isArray(deployed))
    return declared.length === deployed.length && declared.every((item) => deployed.includes(item))
  if (typeof declared === 'object') return JSON.stringify(declared) === JSON.stringify(deployed)
  return declared === deployed
}

/** The server leaves out of its answer what is empty. */
function isEmpty(value: unknown): boolean {
  return [undefined, null, '', false, 0].includes(value as undefined) || (Array.isArray(value) && value.length === 0)
}
