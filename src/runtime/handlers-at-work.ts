import type { Connection } from '../broker/connection.js'
import type { Dependencies } from '../delivery/limits/dependencies.js'
import { HandlerRun } from '../delivery/handler-run.js'
import { HandlerStalls } from '../delivery/handler-stalls.js'
import type { HandlerStatus } from '../delivery/handler-run-options.js'
import { openWebhook, type OpenedWebhook } from '../edge/webhook/open-webhook.js'
import type { MillraceError } from '../error/millrace-error.js'
import type { Registry } from '../event/registry.js'
import type { Log } from '../observe/log.js'
import type { Clock } from '../time/clock.js'
import { systemChance } from '../time/system-chance.js'
import type { DeployedHandler } from './deployed-handlers.js'
import { openJob } from './open-job.js'

export interface HandlersOptions {
  readonly connection: Connection
  readonly registry: Registry
  readonly clock: Clock
  readonly log: Log
  readonly handlers: readonly DeployedHandler[]
  /** The value of a setting that a webhook names. */
  readonly setting: (name: string) => string | undefined
  /** Shared by all handlers of this process, ordered ones among them. */
  readonly dependencies: Dependencies
  /** One of them has stopped for good; the others go on. */
  readonly onFailure: (handler: string, error: MillraceError) => void
}

/** How often it is looked whether one of them stands still, in ms. */
const LOOK_MS = 1_000

/** The handlers that this process runs, beside others that run them too. */
export class HandlersAtWork {
  readonly #runs: readonly HandlerRun[]
  readonly #stopTelling: () => void

  private constructor(
    runs: readonly HandlerRun[],
    { connection, clock }: Pick<HandlersOptions, 'connection' | 'clock'>,
  ) {
    this.#runs = runs
    const stalls = new HandlerStalls(connection, clock)
    const tell = (): void => {
      for (const status of this.status) stalls.tell(status)
    }
    this.#stopTelling = runs.length === 0 ? () => undefined : clock.every(LOOK_MS, tell)
  }

  /** Starts them all, or none. @throws what starting a handler throws */
  static async start({ handlers, dependencies, onFailure, ...shared }: HandlersOptions): Promise<HandlersAtWork> {
    // side by side: each asks the server a dozen questions, and a process has dozens of handlers
    const starts = await Promise.allSettled(
      handlers.map(async (deployed) => {
        const { name } = deployed.declaration
        const onOwnFailure = (error: MillraceError): void => onFailure(name, error)
        const opened = await openHandler(deployed, { ...shared, dependencies })
        const own = { chance: systemChance, ...opened, onFailure: onOwnFailure }
        const run = await HandlerRun.start({ ...shared, ...deployed, ...own })
        shared.log.info({ handler: name, stream: deployed.stream.name }, 'handler started')
        return run
      }),
    )
    const runs = starts.flatMap((start) => (start.status === 'fulfilled' ? [start.value] : []))
    const failed = starts.find((start) => start.status === 'rejected')
    if (failed !== undefined) {
      await Promise.all(runs.map((run) => run.stop()))
      throw failed.reason
    }
    return new HandlersAtWork(runs, shared)
  }

  get status(): readonly HandlerStatus[] {
    return this.#runs.map((run) => run.status)
  }

  /** Waits for what runs, and hands back the rest. Never rejects. */
  async stop(): Promise<void> {
    this.#stopTelling()
    await Promise.all(this.#runs.map((run) => run.stop()))
  }
}

/** Starts them. @param giveUp called when one cannot be: ends what runs, and throws */
export async function startHandlers(
  options: HandlersOptions,
  giveUp: (error: unknown) => Promise<never>,
): Promise<HandlersAtWork> {
  try {
    return await HandlersAtWork.start(options)
  } catch (error) {
    return giveUp(error)
  }
}

/** A handler as it can be run: a webhook, or what takes requests of jobs, with what it does. @throws WEBHOOK_SETTING_INVALID, errors of the broker */
export async function openHandler(
  deployed: DeployedHandler,
  { dependencies, ...shared }: Omit<HandlersOptions, 'handlers' | 'onFailure'>,
): Promise<OpenedWebhook> {
  const { declaration, webhook, job, stream } = deployed
  const gate = await dependencies.gateOf(deployed)
  if (job !== undefined) return { declaration: openJob(job, shared), gate }
  if (webhook === undefined) return { declaration, gate }
  return openWebhook({ ...shared, declaration: webhook, replicas: stream.replicas, gate })
}
