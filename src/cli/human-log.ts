import { fault } from '../error/millrace-error.js'
import type { Log, LogLevel } from '../observe/log.js'
import type { Clock } from '../time/clock.js'
import type { Look, Output } from './output.js'

const RANK: Readonly<Record<LogLevel, number>> = { debug: 0, info: 1, warn: 2, error: 3, silent: 4 }
const LOOK: Readonly<Record<Exclude<LogLevel, 'silent'>, Look>> = {
  debug: 'gray',
  info: 'green',
  warn: 'yellow',
  error: 'red',
}

/** A log for a person: time, level, sentence, then the fields. Services log JSON instead; see run. */
export function humanLog(output: Output, clock: Clock, least: LogLevel): Log {
  const at =
    (level: Exclude<LogLevel, 'silent'>) =>
    (fields: object, message: string): void => {
      if (RANK[level] < RANK[least]) return
      const time = new Date(clock.now()).toTimeString().slice(0, 8)
      const rest = Object.entries(fields).map(([name, value]) => output.style('gray', `${name}=${text(value)}`))
      output.line([output.style('gray', time), output.style(LOOK[level], level.padEnd(5)), message, ...rest].join(' '))
    }
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') }
}

/**
 * The level that `MILLRACE_LOG_LEVEL` names, else `LOG_LEVEL` where it names one of ours, else `usual`.
 * @throws SETTING_INVALID
 */
export function logLevel(env: NodeJS.ProcessEnv, usual: LogLevel): LogLevel {
  const ours = (env['MILLRACE_LOG_LEVEL'] ?? '').toLowerCase()
  if (ours !== '' && !Object.hasOwn(RANK, ours))
    throw fault('SETTING_INVALID', `MILLRACE_LOG_LEVEL: ${ours}; there are: ${Object.keys(RANK).join(', ')}`)
  const shared = (env['LOG_LEVEL'] ?? '').toLowerCase() // other programs have other levels in it
  if (ours !== '') return ours as LogLevel
  return Object.hasOwn(RANK, shared) ? (shared as LogLevel) : usual
}

function text(value: unknown): string {
  if (typeof value === 'string') return /[\s"]/.test(value) ? JSON.stringify(value) : value
  return value instanceof Error ? JSON.stringify(value.message) : (JSON.stringify(value) ?? String(value))
}
