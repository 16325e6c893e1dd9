import type { Log } from '../../observe/log.js'
import type { CliContext } from '../context.js'
import { humanLog, logLevel } from '../human-log.js'

/** The log of a command that runs until it is stopped: for a person on a terminal, else JSON lines on stdout. */
export async function serviceLog(context: CliContext, beforeLine: () => void = () => undefined): Promise<Log> {
  const { out, json, clock, env, options } = context
  const level = logLevel(env, options.verbose === true ? 'debug' : 'info')
  if (out.isTty && !json) {
    const line = (text?: string): void => {
      beforeLine()
      out.line(text)
    }
    return humanLog({ ...out, line }, clock, level)
  }
  const { createLog } = await import('../../observe/log.js')
  return createLog(level, { write: (text) => out.write(text) })
}
