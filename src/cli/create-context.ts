import { systemClock } from '../time/system-clock.js'
import type { CliContext, GlobalOptions } from './context.js'
import { humanLog, logLevel } from './human-log.js'
import type { Host } from './host.js'
import { watchSignals, type Interrupt } from './interrupt.js'
import { createOutput, wantsColor } from './output.js'

/** A context together with what only main needs of it. */
export interface Session {
  readonly context: CliContext
  readonly interrupt: Interrupt
  /** What exitWith said last. */
  readonly exitCode: number | undefined
  readonly isStopNormal: boolean
  /** Closes what the command left open. */
  end(): Promise<void>
}

/** Makes the context of a command. The connection and the declarations are only loaded when asked for. */
export function createSession(host: Host, options: GlobalOptions, command: string): Session {
  const { env, stdout, stderr } = host
  const interrupt = watchSignals(host)
  const onGone = (): void => interrupt.stop('output-gone')
  const out = createOutput(stdout, wantsColor(stdout, env, options.color), onGone)
  const err = createOutput(stderr, wantsColor(stderr, env, options.color), onGone)
  const closers: (() => Promise<void> | void)[] = []
  let exitCode: number | undefined
  let isStopNormal = false
  const context: CliContext = {
    clock: systemClock,
    env,
    options,
    out,
    err,
    json: options.json === true,
    log: humanLog(err, systemClock, logLevel(env, options.verbose === true ? 'debug' : 'warn')),
    signal: interrupt.signal,
    input: host.stdin,
    connect: once(async () => {
      const { connectCli } = await import('./connect.js')
      const connection = await connectCli(options, env, process.cwd(), command)
      closers.push(() => connection.close())
      return connection
    }),
    deployment: async (parts) => (await import('../runtime/discover.js')).discover(options.streams, parts),
    atEnd: (close) => void closers.push(close),
    exitWith: (code) => {
      exitCode = code
    },
    stopIsNormal: () => {
      isStopNormal = true
    },
  }
  return {
    context,
    interrupt,
    get exitCode() {
      return exitCode
    },
    get isStopNormal() {
      return isStopNormal
    },
    end: async () => {
      for (const close of closers.splice(0).reverse()) await close()
    },
  }
}

/** What failed is made again the next time. */
function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined
  const forget = (error: unknown): never => {
    made = undefined
    throw error
  }
  return () => (made ??= make().catch(forget))
}
