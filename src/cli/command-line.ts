import { CommanderError, type Command } from 'commander'
import { EXIT } from '../error/exit-code.js'
import { fault } from '../error/millrace-error.js'
import { COMMANDS } from './commands.js'
import type { GlobalOptions } from './context.js'
import { createSession, type Session } from './create-context.js'
import type { Host } from './host.js'
import { createOutput, wantsColor } from './output.js'
import { faultOf, printError, problemOf, stackOf } from './print-error.js'
import { addStubs, createProgram } from './program.js'

/**
 * Runs one command to its end, and closes what it left open.
 * @param argv what follows the name of the program
 * @returns the exit code; every error was printed on `stderr` of the host
 */
export async function runCommandLine(argv: readonly string[], host: Host): Promise<number> {
  const program = createProgram(host, !argv.includes('--no-color'))
  let session: Session | undefined
  let code: number
  try {
    const name = commandIn(program, argv)
    const entry = COMMANDS.find((command) => command.name === name)
    session = createSession(host, program.opts<GlobalOptions>(), name ?? '')
    watchUnexpected(argv, host, session)
    if (entry !== undefined) (await entry.load()).register(program, session.context)
    addStubs(program, entry?.name)
    await program.parseAsync(argv.length === 0 ? ['--help'] : argv, { from: 'user' })
    code = session.interrupt.cause === undefined ? (session.exitCode ?? EXIT.ok) : stopped(session)
  } catch (error) {
    code = failed(error, argv, host, session)
  }
  try {
    await session?.end()
  } catch (error) {
    code = failed(error, argv, host, session)
  }
  return code
}

/** The command that is asked for; its module is the only one that gets loaded. */
function commandIn(program: Command, argv: readonly string[]): string | undefined {
  const [first, second] = program.parseOptions([...argv]).operands
  return first === 'help' ? second : first
}

/** The command came to a clean end after it was asked to stop. */
function stopped({ interrupt, isStopNormal, exitCode }: Session): number {
  if (interrupt.cause === 'output-gone' || isStopNormal) return exitCode ?? EXIT.ok
  return exitCode ?? EXIT.interrupted
}

/** commander has written its help where a subcommand is missing, and says nothing of it. */
function usageDetail({ code, message }: CommanderError): string {
  return code === 'commander.help' ? 'it needs one of the commands above' : message.replace(/^error: /, '')
}

function failed(thrown: unknown, argv: readonly string[], host: Host, session: Session | undefined): number {
  if (thrown instanceof CommanderError && thrown.exitCode === 0) return EXIT.ok // --help, --version
  const usage = thrown instanceof CommanderError
  const error = usage ? fault('USAGE', usageDetail(thrown)) : faultOf(thrown)
  if (error.code === 'INTERRUPTED' && session !== undefined)
    if (session.isStopNormal || session.interrupt.cause === 'output-gone') return session.exitCode ?? EXIT.ok
  if (session === undefined) {
    // the options could not be read, so there is no context yet
    if (argv.includes('--json')) host.stderr.write(`${JSON.stringify(problemOf(error))}\n`)
    else {
      const color = wantsColor(host.stderr, host.env, !argv.includes('--no-color'))
      printError(
        createOutput(host.stderr, color, () => undefined),
        error,
      )
    }
    return error.exit
  }
  const { err, json, options, env } = session.context
  if (json) err.line(JSON.stringify(problemOf(error)))
  else printError(err, error)
  if (!usage && (options.verbose === true || env['MILLRACE_DEBUG'])) err.line(stackOf(thrown))
  return error.exit
}

/** A mistake of ours that reached nobody: said once, then the process ends. */
function watchUnexpected(argv: readonly string[], host: Host, session: Session): void {
  const onUnexpected = (thrown: unknown): void => {
    host.exit(failed(thrown, argv, host, session))
  }
  host.on('uncaughtException', onUnexpected)
  host.on('unhandledRejection', onUnexpected)
}
