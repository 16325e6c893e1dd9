import { requireNoDrift } from '../broker/apply-streams.js'
import type { Connection } from '../broker/connection.js'
import { planStreams } from '../broker/plan-streams.js'
import { fault, type MillraceError } from '../error/millrace-error.js'
import type { UnitRun } from '../kernel/ownership/holding-port.js'
import { Ownership } from '../kernel/ownership/ownership.js'
import { processorId, type Processor } from '../kernel/processor.js'
import type { ProcessorRun } from '../kernel/run-processor.js'
import type { Log } from '../observe/log.js'
import type { Clock } from '../time/clock.js'
import type { Deployment } from './deployment.js'
import { keepForgetting } from './forgetting.js'
import { processorsOf, rulesProcessorOf } from './processors.js'
import { reconcileRules } from './rules/reconcile-rules.js'
import { watchPairs, type RulePair } from './rules/rule-pairs.js'
import type { KnownRule } from './rules/rule-store.js'
import { UnitStarter } from './unit-starter.js'

export interface RuntimeOptions {
  readonly connection: Connection
  readonly deployment: Deployment
  readonly clock: Clock
  readonly log: Log
  /** Who runs it: host and process, for the commit records. */
  readonly owner: string
  /** Processes of one group share the units of their processors. Default `millrace`. */
  readonly group?: string
  /** Whether rules that came from files which are no more are removed; else that is only said. Default false. */
  readonly removesRules?: boolean
  /** Only these processors; default all. */
  readonly only?: (processor: Processor) => boolean
}

/** A deployment at work in this process, alone or with others. */
export interface Runtime {
  /** What it can run. */
  readonly processors: readonly Processor[]
  /** The units that it runs now. */
  readonly running: readonly ProcessorRun[]
  /** Processes of the group that live, this one among them. */
  readonly members: readonly string[]
  /** Rejects when every unit has failed here, or the group can be followed no more; resolves when it was stopped. */
  readonly ended: Promise<void>
  /** Commits what is done, leaves nothing half done, and stops. Safe to call twice. */
  stop(): Promise<void>
}

/** The group of processes that do not say another one. */
export const DEFAULT_GROUP = 'millrace'
/** How long a start waits for its share of the units, in ms; what takes longer goes on beside. */
const SHARE_MS = 10_000

/**
 * Runs a deployment: checks that its streams are as declared, makes state anew where changed code asks for that, then
 * shares the units with the other processes of the group. A unit that fails stops alone, with an error in the log; the
 * others go on.
 * @throws STREAM_DRIFT, OWNERSHIP_NAME_INVALID, and errors of the broker
 */
export async function createRuntime(options: RuntimeOptions): Promise<Runtime> {
  const { connection, deployment, clock, log, owner, group = DEFAULT_GROUP } = options
  requireNoDrift(await planStreams(connection, deployment.streams))
  const known = await reconcileRules({ ...options, removes: options.removesRules })
  const all = processorsOf(deployment, known)
  const processors = all.filter(options.only ?? (() => true))
  const starter = new UnitStarter({ connection, registry: deployment.registry, clock, log, owner, processors })
  await starter.rebuild()
  const end = new End(log)
  const failed = new Map<string, MillraceError>()
  const ownership = await Ownership.start({
    connection,
    clock,
    log,
    group,
    member: owner,
    replicas: Math.max(1, ...deployment.streams.map(({ replicas }) => replicas)),
    units: starter.units,
    run: (unit) => startUnit(starter, unit, failed),
    onFailure: (unit, error) => {
      failed.set(unit, error) // it is in the log
      if (failed.size === starter.units.length) end.reject(fault('RUNTIME_FAILED', error.message, { cause: error }))
    },
    onEnd: (error) => end.reject(error),
  }).catch((error: unknown) => starter.giveUp(error))
  await untilShared(clock, ownership, starter.units.length, failed)
  for (const processor of processors) logStart(log, processor, starter.running)
  const stopForgetting = keepForgetting({ connection, clock, log, processors: all })
  const stopWatching = watchRules(options, { known, all, processors, starter, ownership })
  let stopping: Promise<void> | undefined
  const stop = async (): Promise<void> => {
    stopForgetting()
    stopWatching()
    await ownership.stop()
    starter.close()
    end.resolve()
  }
  return {
    processors,
    get running() {
      return starter.running
    },
    get members() {
      return ownership.members
    },
    ended: end.promise,
    stop: () => (stopping ??= stop()),
  }
}

interface AtWork {
  readonly known: readonly KnownRule[]
  /** Every processor of the deployment, and those of them that this process can run; they grow. */
  readonly all: Processor[]
  readonly processors: Processor[]
  readonly starter: UnitStarter
  readonly ownership: Ownership
}

/** Takes up the first rule between two streams while everything runs. @returns ends it */
function watchRules(options: RuntimeOptions, { known, all, processors, starter, ownership }: AtWork): () => void {
  const { deployment, log, only = () => true } = options
  const onPair = (pair: RulePair): void => {
    const processor = rulesProcessorOf(deployment, pair)
    if (!only(processor) || all.some((one) => processorId(one) === processorId(processor))) return
    all.push(processor)
    processors.push(processor)
    starter.add(processor)
    ownership.update(starter.units)
    log.info({ processor: processorId(processor) }, 'rules are deployed where there were none')
  }
  return watchPairs({ ...options, after: Math.max(0, ...known.map(({ last }) => last)), onPair })
}

/** What went wrong when the unit stopped here once is over when it runs again. */
async function startUnit(starter: UnitStarter, unit: string, failed: Map<string, unknown>): Promise<UnitRun> {
  const run = await starter.start(unit)
  failed.delete(unit)
  return run
}

function logStart(log: Log, processor: Processor, running: readonly ProcessorRun[]): void {
  const own = running.filter((run) => run.processor === processor)
  const fields = { processor: processorId(processor), version: processor.version, units: own.length }
  log.info({ ...fields, position: Math.max(0, ...own.map(({ position }) => position)) }, 'processor started')
}

/** Resolves when this process runs its share of the units, so that who waits for it to be ready finds it at work. */
async function untilShared(
  clock: Clock,
  ownership: Ownership,
  units: number,
  failed: ReadonlyMap<string, unknown>,
): Promise<void> {
  const until = clock.monotonic() + SHARE_MS
  const share = (): number => Math.floor(units / Math.max(1, ownership.members.length))
  while (ownership.held.length + failed.size < share() && clock.monotonic() < until) await clock.sleep(10)
}

/** How a runtime ends, once. */
class End {
  readonly promise: Promise<void>
  #settle: { readonly resolve: () => void; readonly reject: (error: MillraceError) => void } | undefined

  constructor(log: Log) {
    this.promise = new Promise((resolve, reject) => (this.#settle = { resolve, reject }))
    this.promise.catch((error: unknown) => log.debug({ error }, 'runtime ended'))
  }

  resolve(): void {
    this.#settle?.resolve()
  }

  reject(error: MillraceError): void {
    this.#settle?.reject(error)
  }
}
