import { rename, rm, writeFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import type { Connection } from '../../broker/connection.js'
import { fault, messageOf } from '../../error/millrace-error.js'
import { processorId } from '../../kernel/processor.js'
import type { Log } from '../../observe/log.js'
import { createRuntime, type Runtime, type RuntimeOptions } from '../../runtime/create-runtime.js'
import { handlerId } from '../../runtime/deployed-handlers.js'
import type { Deployment } from '../../runtime/deployment.js'
import { JOBS_ID } from '../../runtime/jobs-at-work.js'
import { deployedOutboxId } from '../../runtime/outboxes-at-work.js'
import { deployedScheduleId } from '../../runtime/schedules-at-work.js'
import { processorsOf } from '../../runtime/processors.js'
import type { CliContext } from '../context.js'
import { untilStopped } from '../or-stopped.js'
import { whenThere } from './when-there.js'

export interface ServeOptions {
  readonly connection: Connection
  readonly deployment: Deployment
  readonly log: Log
  /** Names such as `rule-velocity`; default every processor. */
  readonly only?: readonly string[] | undefined
  /** Written when every processor has started, removed at the end. */
  readonly readyFile?: string | undefined
  /** See RuntimeOptions; undefined: never. */
  readonly stuckAfter?: number | undefined
  readonly onReady?: (runtime: Runtime) => void
  /** Whether a rule goes with its file. */
  readonly removesRules?: boolean
}

/** How long the last commit may take once the command was asked to stop. */
const DRAIN_MS = 10_000

/**
 * Runs the processors of a deployment until the command is asked to stop, then commits what is done.
 * @throws STREAM_DRIFT, DECLARATION_UNKNOWN, RUNTIME_FAILED when every processor has failed, BROKER_TIMEOUT when the
 *   last commit is not confirmed: its work is done again at the next start
 */
export async function serve(context: CliContext, options: ServeOptions): Promise<void> {
  const { connection, deployment, log, readyFile } = options
  const stopListening = connection.onStatus((status) => {
    if (status.kind === 'disconnected') log.warn({}, 'the connection to NATS is lost; reconnecting for ever')
    else if (status.kind === 'connected') log.info({ server: connection.nats.getServer() }, 'connected to NATS again')
    else if (status.kind === 'denied') log.error({ subject: status.subject }, `NATS denied to ${status.operation}`)
  })
  const runtimeOptions = {
    connection,
    deployment,
    clock: context.clock,
    log,
    owner: `${hostname()}/${process.pid}`,
    stuckAfter: options.stuckAfter,
    setting: (name: string) => context.env[name],
    removesRules: options.removesRules ?? false,
    ...onlyThese(deployment, options.only),
  }
  const runtime = await whenThere(context, log, () => createRuntime(runtimeOptions))
  try {
    const handlers = runtime.handlers.map(({ name }) => `handler-${name}`)
    const isOwn = (id: string): boolean => options.only?.includes(id) ?? true
    const outboxes = runtime.outboxes.map(({ outbox }) => `outbox-${outbox}`)
    const schedules = (deployment.schedules ?? []).map(deployedScheduleId).filter(isOwn)
    const own = runtime.processors.map((processor) => processorId(processor))
    const edges = (deployment.edges ?? []).map(({ id }) => id).filter(isOwn)
    const jobs = runtime.jobs === undefined ? [] : [JOBS_ID]
    const processors = [...own, ...handlers, ...jobs, ...outboxes, ...schedules, ...edges]
    if (readyFile !== undefined) await writeReady(readyFile, { pid: process.pid, processors })
    log.info({ processors: processors.length, server: connection.nats.getServer() }, 'ready')
    options.onReady?.(runtime)
    await Promise.race([runtime.ended, untilStopped(context.signal)])
  } finally {
    stopListening()
    await drain(context, runtime, log)
    if (readyFile !== undefined) await rm(readyFile, { force: true })
  }
}

async function drain({ clock, signal }: CliContext, runtime: Runtime, log: Log): Promise<void> {
  if (signal.aborted) log.info({}, 'stopping: the last work is being committed')
  let cancel = (): void => undefined
  const late = new Promise<'late'>((resolve) => {
    cancel = clock.after(DRAIN_MS, () => resolve('late'))
  })
  const how = await Promise.race([runtime.stop(), late])
  cancel()
  if (how === 'late')
    throw fault(
      'BROKER_TIMEOUT',
      `the last commit was not confirmed within ${DRAIN_MS / 1_000}s; it is done again at the next start`,
    )
  log.info({}, 'stopped')
}

function onlyThese(
  deployment: Deployment,
  only: readonly string[] | undefined,
): Pick<RuntimeOptions, 'only' | 'onlyHandlers'> {
  if (only === undefined) return {}
  const handlers = (deployment.handlers ?? []).map(handlerId)
  const outboxes = (deployment.outboxes ?? []).map(deployedOutboxId)
  const schedules = (deployment.schedules ?? []).map(deployedScheduleId)
  const edges = (deployment.edges ?? []).map(({ id }) => id)
  const jobs = (deployment.jobs ?? []).length === 0 ? [] : [JOBS_ID]
  const known = [
    ...processorsOf(deployment).map(processorId),
    ...handlers,
    ...jobs,
    ...outboxes,
    ...schedules,
    ...edges,
  ]
  const unknown = only.find((name) => !known.includes(name))
  if (unknown !== undefined)
    throw fault('DECLARATION_UNKNOWN', `processor ${JSON.stringify(unknown)}; there are: ${known.join(', ')}`)
  return {
    only: (processor) => only.includes(processorId(processor)),
    onlyHandlers: (id) => only.includes(id),
  }
}

/** Appears whole or not at all, so that who waits for it may read it at once. */
async function writeReady(file: string, content: object): Promise<void> {
  const aside = `${file}.${process.pid}`
  try {
    await writeFile(aside, `${JSON.stringify(content)}\n`)
    await rename(aside, file)
  } catch (error) {
    throw fault('OUTPUT_UNWRITABLE', messageOf(error), { cause: error })
  }
}
