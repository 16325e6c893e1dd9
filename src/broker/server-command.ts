import { spawn } from 'node:child_process'
import type { Clock } from '../time/clock.js'

export interface CommandOptions {
  readonly clock: Clock
  readonly signal: AbortSignal
  /** After this many milliseconds the command is killed. */
  readonly limitMs: number
  readonly cwd?: string
  readonly env?: NodeJS.ProcessEnv
}

/** How a command ended. `code` is undefined when it could not be started, was killed, or ran out of time. */
export interface CommandResult {
  readonly code: number | undefined
  /** Standard output and standard error, the last 64 KiB. */
  readonly output: string
}

const KEPT = 65_536

/**
 * Runs a program to its end, without a shell and without input.
 * A program that fails is a result, not an error; only an abort is thrown (`signal.reason`).
 */
export async function runCommand(
  command: string,
  args: readonly string[],
  options: CommandOptions,
): Promise<CommandResult> {
  options.signal.throwIfAborted()
  const deadline = new AbortController()
  const cancel = options.clock.after(options.limitMs, () => deadline.abort())
  const result = await new Promise<CommandResult>((resolve) => {
    let output = ''
    const child = spawn(command, args, {
      cwd: options.cwd,
      env: options.env,
      stdio: ['ignore', 'pipe', 'pipe'],
      windowsHide: true,
      signal: AbortSignal.any([options.signal, deadline.signal]),
    })
    const take = (chunk: Buffer): void => {
      output = (output + chunk.toString('utf8')).slice(-KEPT)
    }
    child.stdout.on('data', take)
    child.stderr.on('data', take)
    child.on('error', (error) => {
      if (child.pid === undefined) resolve({ code: undefined, output: error.message })
      else output += deadline.signal.aborted ? `\nkilled after ${options.limitMs} ms` : `\n${error.message}`
    })
    child.on('close', (code) => resolve({ code: code ?? undefined, output }))
  })
  cancel()
  options.signal.throwIfAborted()
  return result
}
