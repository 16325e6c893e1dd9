import { pino, type DestinationStream } from 'pino'

/** What rooms log through: fields first, then one sentence. A part of pino’s interface. */
export interface Log {
  debug(fields: object, message: string): void
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
  error(fields: object, message: string): void
}

export type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'silent'

/**
 * Logs JSON lines to `destination`. Secrets that may be among the fields are redacted.
 * @param level least level that is written
 */
export function createLog(level: LogLevel, destination: DestinationStream): Log {
  return pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      redact: ['*.password', '*.token', '*.seed', '*.jwt'],
    },
    destination,
  )
}

/** Logs nothing. */
export const silentLog: Log = { debug: ignore, info: ignore, warn: ignore, error: ignore }

function ignore(): void {
  return undefined
}
