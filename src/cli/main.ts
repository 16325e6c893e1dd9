#!/usr/bin/env node
import { CommanderError, type Command } from 'commander'
import { EXIT } from '../error/exit-code.js'
import { fault } from '../error/millrace-error.js'
import { COMMANDS } from './commands.js'
import type { GlobalOptions } from './context.js'
import { createSession, type Session } from './create-context.js'
import { createOutput, wantsColor } from './output.js'
import { faultOf, printError, problemOf, stackOf } from './print-error.js'
import { addStubs, createProgram } from './program.js'

const argv = process.argv.slice(2)

function colorOf(sink: NodeJS.WriteStream): boolean {
  return wantsColor(sink, process.env, !argv.includes('--no-color'))
}

/** The command that is asked for; its module is the only one that gets loaded. */
function commandIn(program: Command): string | undefined {
  const [first, second] = program.parseOptions(argv).operands
  return first === 'help' ? second : first
}

async function main(): Promise<void> {
  const program = createProgram({ out: colorOf(process.stdout), err: colorOf(process.stderr) })
  let session: Session | undefined
  let code: number
  try {
    const name = commandIn(program)
    const entry = COMMANDS.find((command) => command.name === name)
    session = createSession(program.opts<GlobalOptions>(), name ?? '')
    watchUnexpected(session)
    if (entry !== undefined) (await entry.load()).register(program, session.context)
    addStubs(program, entry?.name)
    await program.parseAsync(argv.length === 0 ? ['--help'] : argv, { from: 'user' })
    code = session.interrupt.cause === undefined ? (session.exitCode ?? EXIT.ok) : stopped(session)
  } catch (error) {
    code = failed(error, session)
  }
  await leave(code, session)
}

/** The command came to a clean end after it was asked to stop. */
function stopped({ interrupt, isStopNormal, exitCode }: Session): number {
  if (interrupt.cause === 'output-gone' || isStopNormal) return exitCode ?? EXIT.ok
  return exitCode ?? EXIT.interrupted
}

function failed(thrown: unknown, session: Session | undefined): number {
  if (thrown instanceof CommanderError && thrown.exitCode === 0) return EXIT.ok // --help, --version
  const usage = thrown instanceof CommanderError
  const error = usage ? fault('USAGE', thrown.message.replace(/^error: /, '')) : faultOf(thrown)
  if (error.code === 'INTERRUPTED' && session !== undefined)
    if (session.isStopNormal || session.interrupt.cause === 'output-gone') return session.exitCode ?? EXIT.ok
  if (session === undefined) {
    // the options could not be read, so there is no context yet
    if (argv.includes('--json')) process.stderr.write(`${JSON.stringify(problemOf(error))}\n`)
    else
      printError(
        createOutput(process.stderr, false, () => undefined),
        error,
      )
    return error.exit
  }
  const { err, json, options, env } = session.context
  if (json) err.line(JSON.stringify(problemOf(error)))
  else printError(err, error)
  if (!usage && (options.verbose === true || env['MILLRACE_DEBUG'])) err.line(stackOf(thrown))
  return error.exit
}

/** A mistake of ours that reached nobody: said once, then the process ends. */
function watchUnexpected(session: Session): void {
  const onUnexpected = (thrown: unknown): void => {
    process.exit(failed(thrown, session))
  }
  process.on('uncaughtException', onUnexpected)
  process.on('unhandledRejection', onUnexpected)
}

async function leave(code: number, session: Session | undefined): Promise<void> {
  let last = code
  try {
    await session?.end()
  } catch (error) {
    last = failed(error, session)
  }
  process.exitCode = last
  // whatever a library left open does not keep the command from ending; what was written has left the process first
  process.stdout.write('', () => process.stderr.write('', () => process.exit(last)))
}

await main()
