import { requireNoDrift } from '../broker/apply-streams.js'
import type { Connection } from '../broker/connection.js'
import { planStreams } from '../broker/plan-streams.js'
import type { MillraceError } from '../error/millrace-error.js'
import { Dependencies } from '../delivery/limits/dependencies.js'
import type { HandlerStatus } from '../delivery/handler-run-options.js'
import type { UnitRun } from '../kernel/ownership/holding-port.js'
import { Ownership } from '../kernel/ownership/ownership.js'
import { processorId, type Processor } from '../kernel/processor.js'
import type { ProcessorRun } from '../kernel/run-processor.js'
import type { JobWorkerStatus } from '../job/worker/job-worker-options.js'
import type { RelayStatus } from '../outbox/relay-report.js'
import type { Log } from '../observe/log.js'
import type { ScheduleStatus } from '../schedule/schedule-run.js'
import type { Clock } from '../time/clock.js'
import { systemChance } from '../time/system-chance.js'
import type { Deployment } from './deployment.js'
import { keepForgetting } from './forgetting.js'
import { End } from './end.js'
import { OrderedHandlers } from './ordered-handlers.js'
import { processorsOf } from './processors.js'
import { reconcileRules } from './rules/reconcile-rules.js'
import { watchRules } from './rules/watch-rules.js'
import { deployedScheduleId, SchedulesAtWork } from './schedules-at-work.js'
import { EdgesAtWork } from './edges-at-work.js'
import type { EdgeStatus } from '../edge/edge-status.js'
import { ownHandlers, startBeside, type BesideUnits } from './start-beside.js'
import { StuckWatch } from './stuck/stuck-watch.js'
import { UnitStarter } from './unit-starter.js'
import { untilShared } from './until-shared.js'

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
  /**
   * After so many ms in which nothing but one turn was done, the process is ended, and says which turn it was
   * (TURN_STUCK); a thread of its own looks after that. Default: never.
   */
  readonly stuckAfter?: number | undefined
  /** Only these processors; default all. */
  readonly only?: (processor: Processor) => boolean
  /** Only these handlers, outboxes, schedules, sinks and sources, such as `handler-notify`, and `jobs`; default all. */
  readonly onlyHandlers?: (id: string) => boolean
  /** The value of a setting that a declaration names, such as the secret of a webhook. Default: there are none. */
  readonly setting?: (name: string) => string | undefined
}

/** A deployment at work in this process, alone or with others. */
export interface Runtime {
  /** What it can run. */
  readonly processors: readonly Processor[]
  /** The units that it runs now. */
  readonly running: readonly ProcessorRun[]
  /** Handlers that it runs, how they are. */
  readonly handlers: readonly HandlerStatus[]
  /** How its worker of jobs is; undefined: it has none. */
  readonly jobs: JobWorkerStatus | undefined
  /** Relays that it runs, or has stand by. */
  readonly outboxes: readonly RelayStatus[]
  /** Schedules that it runs now. */
  readonly schedules: readonly ScheduleStatus[]
  /** Sinks that are no handlers, and sources, that run here. */
  readonly edges: readonly EdgeStatus[]
  /** Processes of the group that live, this one among them. */
  readonly members: readonly string[]
  /** Rejects when every unit has failed here, or the group can be followed no more; resolves when it was stopped. */
  readonly ended: Promise<void>
  /** Commits what is done, leaves nothing half done, and stops. Safe to call twice. */
  stop(): Promise<void>
}

/** The group of processes that do not say another one. */
export const DEFAULT_GROUP = 'millrace'

/**
 * Runs a deployment: checks that its streams are as declared, makes state anew where changed code asks for that, then
 * shares the units with the other processes of the group. A unit that fails stops alone, with an error in the log; the
 * others go on.
 * @throws STREAM_DRIFT, OWNERSHIP_NAME_INVALID, and errors of the broker
 */
export async function createRuntime(options: RuntimeOptions): Promise<Runtime> {
  const { clock, stuckAfter } = options
  const watch = stuckAfter === undefined ? undefined : new StuckWatch(clock, stuckAfter)
  try {
    return await startRuntime(options, watch)
  } catch (error) {
    await watch?.stop()
    throw error
  }
}

async function startRuntime(options: RuntimeOptions, watch: StuckWatch | undefined): Promise<Runtime> {
  const { connection, deployment, clock, log, owner, group = DEFAULT_GROUP } = options
  requireNoDrift(await planStreams(connection, deployment.streams))
  const known = await reconcileRules({ ...options, removes: options.removesRules })
  const setting = options.setting ?? ((): undefined => undefined)
  const dependencies = new Dependencies({ connection, clock, log, chance: systemChance })
  const shared = { connection, registry: deployment.registry, clock, log, setting, dependencies }
  const ordered = new OrderedHandlers(shared)
  const all = processorsOf(deployment, known, ordered.portsOf).map((one) => watch?.watched(one) ?? one)
  const processors = all.filter(options.only ?? (() => true))
  const [schedules, edges] = [ownSchedules(options), ownEdges(options)]
  const starter = new UnitStarter({ ...options, ...shared, processors, beside: [schedules, edges] })
  await starter.rebuild()
  const end = new End(log)
  const failed = new Map<string, MillraceError>()
  const own = ownHandlers(options)
  const onFailure = (unit: string, error: MillraceError): void => {
    failed.set(unit, error) // it is in the log
    if (failed.size >= starter.units.length + own.length) end.failAll(error)
  }
  const replicas = Math.max(1, ...deployment.streams.map((stream) => stream.replicas))
  const member = { connection, clock, log, group, replicas, member: owner }
  const ownership = await Ownership.start({
    ...member,
    units: starter.units,
    run: (unit) => startUnit(starter, unit, failed),
    onFailure,
    onEnd: (error) => end.reject(error),
  }).catch((error: unknown) => starter.giveUp(error))
  await untilShared(clock, ownership, starter.units.length, failed)
  for (const processor of processors) logStart(log, processor, starter.running)
  const giveUp = async (error: unknown): Promise<never> => {
    await ownership.stop()
    await ordered.stop()
    return starter.giveUp(error)
  }
  const beside = await startBeside(options, { ...shared, handlers: own, onFailure }, giveUp)
  const stops = [
    keepForgetting({ connection, clock, log, processors: all }),
    watchRules(options, { known, all, processors, starter, ownership, watch }),
  ]
  edges.startEverywhere()
  const besides = { ...beside, ordered, schedules, edges }
  return runtimeOf({ processors, starter, ownership, ...besides, end, stops, watch })
}

interface RuntimeParts extends BesideUnits {
  readonly processors: readonly Processor[]
  readonly starter: UnitStarter
  readonly ownership: Ownership
  readonly ordered: OrderedHandlers
  readonly schedules: SchedulesAtWork
  readonly edges: EdgesAtWork
  readonly end: End
  /** End what goes on beside the units. */
  readonly stops: readonly (() => void)[]
  readonly watch: StuckWatch | undefined
}

function runtimeOf({ processors, starter, ownership, end, stops, watch, ...own }: RuntimeParts): Runtime {
  const { handlers, jobs, ordered, outboxes, schedules, edges } = own
  let stopping: Promise<void> | undefined
  const stop = async (): Promise<void> => {
    for (const stopOne of stops) stopOne()
    await Promise.all([handlers.stop(), jobs?.stop(), outboxes.stop(), edges.stopEverywhere()])
    await ownership.stop()
    await ordered.stop()
    edges.stop()
    starter.close()
    await watch?.stop()
    end.resolve()
  }
  return {
    processors,
    get running() {
      return starter.running
    },
    get handlers() {
      return handlers.status
    },
    get jobs() {
      return jobs?.status
    },
    get outboxes() {
      return outboxes.status
    },
    get schedules() {
      return schedules.status
    },
    get edges() {
      return edges.status
    },
    get members() {
      return ownership.members
    },
    ended: end.promise,
    stop: () => (stopping ??= stop()),
  }
}

/** The schedules that this process can run. */
function ownSchedules({ deployment, onlyHandlers = () => true, ...shared }: RuntimeOptions): SchedulesAtWork {
  const all = deployment.schedules ?? []
  return new SchedulesAtWork({ ...shared, schedules: all.filter((one) => onlyHandlers(deployedScheduleId(one))) })
}

/** The sinks and sources that this process can run. */
function ownEdges({ deployment, onlyHandlers = () => true, ...shared }: RuntimeOptions): EdgesAtWork {
  const edges = (deployment.edges ?? []).filter(({ id }) => onlyHandlers(id))
  return new EdgesAtWork({ ...shared, registry: deployment.registry, edges })
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
