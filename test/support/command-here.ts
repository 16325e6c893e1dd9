// Runs the command line in this process, as `main.ts` does in its own: the same arguments, settings, output and exit code
// without the start of a process. What a process is (signals from outside, kill -9, pipes) is tested with one.
import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { Readable } from 'node:stream'
import { runCommandLine } from '../../src/cli/command-line.ts'
import type { Host } from '../../src/cli/host.ts'
import type { Sink } from '../../src/cli/output.ts'

export interface CommandHere {
  readonly args: readonly string[]
  readonly cwd: string
  readonly env: NodeJS.ProcessEnv
  readonly input: string
  /** What takes longer hangs. */
  readonly limitMs: number
}

export interface CommandEnd {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

/** Hashes of the declarations that this process may have loaded; it never loads the text of a file anew. */
const loaded = new Map<string, string>()
/** The folder that commands are at work in, as they share that of the process. */
let place: Place | undefined

/** Whether this process would see the declarations as they are: none has changed since they were loaded for the first time. */
export function seesDeclarations({ args, cwd, env }: Pick<CommandHere, 'args' | 'cwd' | 'env'>): boolean {
  const folder = resolve(
    cwd,
    args[args.indexOf('--streams') + 1 || args.length] ?? env['MILLRACE_STREAMS'] ?? 'streams',
  )
  if (!existsSync(folder)) return true
  for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
    if (!/\.[jt]s$/.test(name)) continue
    const file = resolve(folder, name)
    const hash = createHash('sha256').update(readFileSync(file)).digest('hex')
    const before = loaded.get(file)
    if (before !== undefined && before !== hash) return false
    loaded.set(file, hash)
  }
  return true
}

export async function runHere({ args, cwd, env, input, limitMs }: CommandHere): Promise<CommandEnd> {
  const leave = await enter(cwd)
  const [out, err] = [sink(), sink()]
  const interrupts: (() => void)[] = []
  const host: Host = {
    env,
    stdout: out,
    stderr: err,
    stdin: Readable.from(input === '' ? [] : [Buffer.from(input)]),
    on: (event: string, listener: (thrown?: unknown) => void) => event === 'SIGINT' && interrupts.push(listener),
    exit: (code) => {
      throw new Error(`a command here cannot end the process, with ${code}`)
    },
  }
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      interrupts.forEach((interrupt) => interrupt())
      reject(new Error(`millrace ${args.join(' ')} hangs\n${out.text()}\n${err.text()}`))
    }, limitMs)
  })
  try {
    const code = await Promise.race([runCommandLine(args, host), late])
    return { code, stdout: out.text(), stderr: err.text() }
  } finally {
    clearTimeout(timer)
    leave()
  }
}

/** Makes `cwd` the folder of this process until the last command there has ended. */
async function enter(cwd: string): Promise<() => void> {
  const there = place
  if (there !== undefined && there.cwd !== cwd) {
    await there.left
    return enter(cwd)
  }
  const here = (place = there ?? new Place(cwd))
  here.commands += 1
  return () => {
    here.commands -= 1
    if (here.commands > 0) return
    place = undefined
    here.leave()
  }
}

class Place {
  readonly cwd: string
  readonly left: Promise<void>
  readonly leave: () => void
  commands = 0

  constructor(cwd: string) {
    const before = process.cwd()
    let left = (): void => undefined
    this.cwd = cwd
    this.left = new Promise((resolve) => (left = resolve))
    this.leave = () => {
      process.chdir(before)
      left()
    }
    process.chdir(cwd)
  }
}

function sink(): Sink & { readonly text: () => string } {
  let text = ''
  const nothing = (): void => undefined
  return {
    text: () => text,
    write: (more) => {
      text += more
      return true
    },
    once: nothing,
    off: nothing,
    on: nothing,
  }
}
