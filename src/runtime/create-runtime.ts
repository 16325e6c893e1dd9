import type { Connection } from '../broker/connection.js'
import { planStreams } from '../broker/plan-streams.js'
import { requireNoDrift } from '../broker/apply-streams.js'
import { fault, type MillraceError } from '../error/millrace-error.js'
import { processorId, type Processor } from '../kernel/processor.js'
import { ProcessorRun } from '../kernel/run-processor.js'
import type { Log } from '../observe/log.js'
import type { Clock } from '../time/clock.js'
import type { Deployment } from './deployment.js'
import { processorsOf } from './processors.js'

export interface RuntimeOptions {
  readonly connection: Connection
  readonly deployment: Deployment
  readonly clock: Clock
  readonly log: Log
  /** Who runs it: host and process, for the commit records. */
  readonly owner: string
  /** Only these processors; default all. */
  readonly only?: (processor: Processor) => boolean
}

/** A deployment at work. */
export interface Runtime {
  readonly processors: readonly ProcessorRun[]
  /** Rejects when every processor has failed; resolves when the runtime was stopped. */
  readonly ended: Promise<void>
  /** Commits what is done, leaves nothing half done, and stops. Safe to call twice. */
  stop(): Promise<void>
}

/**
 * Runs a deployment: checks that its streams are as declared, then starts every processor from its last commit.
 * A processor that fails stops alone, with an error in the log; the others go on.
 * @throws STREAM_DRIFT, and what starting a processor throws
 */
export async function createRuntime(options: RuntimeOptions): Promise<Runtime> {
  const { connection, deployment, clock, log, owner } = options
  requireNoDrift(await planStreams(connection, deployment.streams))
  const processors = processorsOf(deployment).filter(options.only ?? (() => true))
  const failures: MillraceError[] = []
  let end: { resolve: () => void; reject: (error: MillraceError) => void } | undefined
  const ended = new Promise<void>((resolve, reject) => {
    end = { resolve, reject }
  })
  ended.catch((error: unknown) => log.debug({ error }, 'runtime ended'))
  const runs = await Promise.all(
    processors.map((processor) =>
      ProcessorRun.start(processor, {
        connection,
        registry: deployment.registry,
        clock,
        log,
        owner,
        onFailure: (error) => {
          failures.push(error)
          log.error(
            { processor: processorId(processor), code: error.code, detail: error.detail, advice: error.advice },
            error.message,
          )
          if (failures.length === processors.length)
            end?.reject(fault('RUNTIME_FAILED', error.message, { cause: error }))
        },
      }),
    ),
  )
  for (const { processor, position } of runs)
    log.info({ processor: processorId(processor), version: processor.version, position }, 'processor started')
  let stopping: Promise<void> | undefined
  const stop = async (): Promise<void> => {
    const results = await Promise.allSettled(runs.map((run) => run.stop()))
    for (const result of results)
      if (result.status === 'rejected') log.error({ error: String(result.reason) }, 'processor did not stop cleanly')
    end?.resolve()
  }
  return { processors: runs, ended, stop: () => (stopping ??= stop()) }
}
