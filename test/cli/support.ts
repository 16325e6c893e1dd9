// Runs the command line in a folder of its own: to its end in this process, or as a process that can be stopped and killed.
import { spawn, type ChildProcess } from 'node:child_process'
import { cp } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { temporaryDirectory } from '../support/nats.ts'
import { atEnd } from '../support/cleanup.ts'
import { runHere, seesDeclarations } from '../support/command-here.ts'
import { millraceProgram } from '../support/program.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const FIXTURE = join(ROOT, 'test/fixtures/streams-small')
/** What takes longer hangs, on any machine. */
const LIMIT_MS = 150_000

export interface CliOptions {
  readonly cwd: string
  readonly env?: NodeJS.ProcessEnv
  /** Standard input; it is closed after that. */
  readonly input?: string
}

export interface CliResult {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** A command at work. */
export interface CliRun {
  readonly child: ChildProcess
  readonly pid: number
  readonly done: Promise<CliResult>
  /** What was written so far. */
  stdout(): string
  stderr(): string
  signal(signal: NodeJS.Signals): void
}

/** A folder with the small deployment in `streams/`. */
export async function deploymentFolder(): Promise<string> {
  const folder = await temporaryDirectory()
  await cp(FIXTURE, join(folder, 'streams'), { recursive: true })
  return folder
}

export function startCli(args: readonly string[], options: CliOptions): CliRun {
  const child = spawn(process.execPath, [...millraceProgram(), ...args], {
    cwd: options.cwd,
    env: { ...cleanEnvironment(options.cwd), ...options.env },
    stdio: ['pipe', 'pipe', 'pipe'],
  })
  let stdout = ''
  let stderr = ''
  child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()))
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()))
  child.stdin.on('error', () => undefined) // a command that ends before it has read all
  if (options.input !== undefined) child.stdin.end(options.input)
  const done = new Promise<CliResult>((resolve, reject) => {
    const timer = setTimeout(() => {
      child.kill('SIGKILL')
      reject(new Error(`millrace ${args.join(' ')} hangs\n${stdout}\n${stderr}`))
    }, LIMIT_MS)
    child.on('close', (code) => {
      clearTimeout(timer)
      resolve({ code, stdout, stderr })
    })
  })
  // a test that failed before it waits for the end must not take the process of the tests with it
  done.catch(() => undefined)
  atEnd(async () => {
    child.kill('SIGKILL')
    await done.catch(() => undefined)
  })
  return {
    child,
    pid: child.pid ?? 0,
    done,
    stdout: () => stdout,
    stderr: () => stderr,
    signal: (signal) => void child.kill(signal),
  }
}

/** They are processes: they run until somebody stops them. */
const STAYING = ['dev', 'run']

/**
 * Runs a command to its end: in this process, which is as good for what it prints and how it ends, and takes a tenth of
 * the time; in one of its own where that is another thing.
 */
export function cli(args: readonly string[], options: CliOptions): Promise<CliResult> {
  const { cwd, input = '' } = options
  const env = { ...cleanEnvironment(cwd), ...options.env }
  if (STAYING.includes(args[0] ?? '') || !seesDeclarations({ args, cwd, env })) return spawned(args, options)
  return runHere({ args, cwd, env, input, limitMs: LIMIT_MS })
}

/** Runs a command to its end, as a process. */
export function spawned(args: readonly string[], options: CliOptions): Promise<CliResult> {
  return startCli(args, { input: '', ...options }).done
}

/** The one JSON document that a command printed. */
export function jsonOf(text: string): Record<string, any> {
  return JSON.parse(text) as Record<string, any>
}

/** Nothing of the developer’s own NATS settings may reach a test. */
function cleanEnvironment(cwd: string): NodeJS.ProcessEnv {
  const own = Object.entries(process.env).filter(
    ([name]) => !/^(NATS_|MILLRACE_|NO_COLOR|FORCE_COLOR|LOG_LEVEL)/.test(name),
  )
  const cache = process.env['MILLRACE_TYPESCRIPT_CACHE']
  const kept = cache === undefined ? {} : { MILLRACE_TYPESCRIPT_CACHE: cache }
  return { ...Object.fromEntries(own), ...kept, XDG_CONFIG_HOME: join(cwd, '.config'), NO_COLOR: '1' }
}

/** A line that the small deployment takes. */
export function orderLine(number: number, data: object = {}): string {
  return JSON.stringify({
    type: 'order.placed',
    version: 2,
    data: { customer: `c${number % 7}`, amount: 10 + (number % 5), currency: 'EUR', ...data },
  })
}
