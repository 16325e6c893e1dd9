import { mkdir, writeFile } from 'node:fs/promises'
import { join, relative, resolve } from 'node:path'
import { applyStreams } from '../../broker/apply-streams.js'
import type { Connection } from '../../broker/connection.js'
import { planStreams } from '../../broker/plan-streams.js'
import { fault, isFault, messageOf } from '../../error/millrace-error.js'
import type { Deployment } from '../../runtime/deployment.js'
import { connectCli } from '../connect.js'
import type { CliContext } from '../context.js'
import { createLiveLine } from '../progress.js'
import { serve } from '../run/serve.js'
import { serviceLog } from '../run/service-log.js'
import { stuckAfterOf } from '../run/stuck-after.js'
import { removeDevServer, writeDevServer } from '../server-file.js'
import { tellChanges } from './changed-files.js'
import { liveStatus } from './live-status.js'
import { startSupervised, type SupervisedServer } from './supervised-server.js'

export interface DevOptions {
  readonly port?: number
  readonly dataDir: string
  readonly apply: boolean
  readonly readyFile?: string
  /** A span such as 30s, or `never`. */
  readonly stuckAfter: string
}

/**
 * Starts a server of its own, applies the streams and runs everything until it is stopped.
 * @throws what reading the declarations, starting the server, applying and serving throw
 */
export async function devCommand(context: CliContext, options: DevOptions): Promise<void> {
  const { out, json } = context
  context.stopIsNormal()
  const stuckAfter = stuckAfterOf(options.stuckAfter)
  const deployment = await context.deployment()
  const live = createLiveLine(out)
  const log = await serviceLog(context, () => live.end())
  const isLive = out.isTty && !json
  const server = await ownServer(context, options, log)
  const connection = await connectTo(context, server)
  if (options.apply)
    await apply(connection, deployment, (stream, kind) => log.info({ stream }, `stream: ${kind}`)).catch(
      (error: unknown) => {
        throw server === undefined ? error : withWayOut(error, options.dataDir)
      },
    )
  context.atEnd(await tellChanges(context, log, deployment.folder))
  const served = serve(context, {
    connection,
    deployment,
    log,
    readyFile: options.readyFile,
    stuckAfter,
    removesRules: true, // the folder is all that there is to say
    onReady: () => {
      if (!isLive) return
      out.line(`publish with ${out.style('cyan', 'millrace publish')} in this folder, stop with Ctrl-C`)
      void liveStatus(context, connection, deployment, live.show)
        .catch((error: unknown) => log.warn({ error: messageOf(error) }, 'no live status'))
        .finally(() => live.end())
    },
  })
  await (server === undefined ? served : Promise.race([served, server.failed]))
}

/** The embedded server; undefined when --server or MILLRACE_NATS_URL names another one for development. */
async function ownServer(
  context: CliContext,
  options: DevOptions,
  log: Awaited<ReturnType<typeof serviceLog>>,
): Promise<SupervisedServer | undefined> {
  if ((context.options.server ?? context.env['MILLRACE_NATS_URL']) !== undefined) return undefined
  const folder = process.cwd()
  const dataDir = resolve(options.dataDir)
  await ignoredByGit(join(folder, '.millrace'))
  const server = await startSupervised(context, { dataDir, port: options.port, log })
  context.atEnd(() => server.stop())
  await writeDevServer(folder, server.url)
  context.atEnd(() => removeDevServer(folder))
  const { binary } = server
  log.info({ url: server.url, data: relative(folder, dataDir) }, `nats-server ${binary.version.text} is running`)
  return server
}

async function connectTo(context: CliContext, server: SupervisedServer | undefined): Promise<Connection> {
  if (server === undefined) return context.connect()
  // the server is ours and open to this machine: neither NATS_URL nor a context has a say, nor their credentials
  const { streams, color } = context.options
  const connection = await connectCli({ streams, color, server: server.url, context: false }, {}, '', 'dev')
  context.atEnd(() => connection.close())
  return connection
}

async function apply(
  connection: Connection,
  deployment: Deployment,
  onStep: (stream: string, kind: string) => void,
): Promise<void> {
  const plan = await planStreams(connection, deployment.streams)
  await applyStreams(connection, plan)
  for (const { stream, kind } of plan) if (kind !== 'unchanged') onStep(stream, kind)
}

/** Events of development can be given up, which the advice for everyone must not say. */
function withWayOut(error: unknown, dataDir: string): unknown {
  if (!isFault(error, 'STREAM_CHANGE_REFUSED')) return error
  const detail = `${error.detail}; if the events of this folder may go: rm -r ${dataDir}`
  return fault(error.code, detail, { cause: error, issues: error.issues })
}

async function ignoredByGit(folder: string): Promise<void> {
  try {
    await mkdir(folder, { recursive: true })
    await writeFile(join(folder, '.gitignore'), '*\n')
  } catch (error) {
    throw fault('SERVER_DATA_DIR_UNUSABLE', messageOf(error), { cause: error })
  }
}
