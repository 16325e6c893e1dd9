import type { CliContext } from './context.js'

/** The result of a command as one JSON document. */
export function printJson({ out }: Pick<CliContext, 'out'>, value: unknown): void {
  out.line(out.isTty ? JSON.stringify(value, undefined, 2) : JSON.stringify(value))
}

/** One item of a stream of results: NDJSON. */
export function printJsonLine({ out }: Pick<CliContext, 'out'>, value: unknown): void {
  out.line(JSON.stringify(value))
}
