// The runtime as a process of its own, so that it can be killed for real.
import { execFile, spawn, type ChildProcess } from 'node:child_process'
import { existsSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const CLI = fileURLToPath(new URL('../dist/cli/main.js', import.meta.url))
const STREAMS = fileURLToPath(new URL('../streams', import.meta.url))

/** Runs a command of `millrace` against the demo's server. @throws Error it ends with anything but 0 */
export async function millrace(url: string, args: readonly string[]): Promise<void> {
  await promisify(execFile)(process.execPath, [CLI, ...args, '--server', url, '--streams', STREAMS])
}

export class RuntimeProcess {
  readonly #child: ChildProcess
  readonly #exit: Promise<number | null>
  #log = ''

  /** Starts `millrace run` and resolves when every processor has started. @param env which model its jobs ask is said here */
  static async start(url: string, env: NodeJS.ProcessEnv): Promise<RuntimeProcess> {
    const ready = join(tmpdir(), `millrace-demo-${process.pid}-${performance.now()}`)
    const started = new RuntimeProcess(url, ready, env)
    let exited = false
    void started.#exit.then(() => (exited = true))
    while (!existsSync(ready)) {
      if (exited) throw new Error(`the runtime did not start:\n${started.#log}`)
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
    rmSync(ready)
    return started
  }

  private constructor(url: string, ready: string, env: NodeJS.ProcessEnv) {
    const args = [CLI, 'run', '--server', url, '--streams', STREAMS, '--ready-file', ready]
    this.#child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'], env })
    for (const output of [this.#child.stdout, this.#child.stderr])
      output?.on('data', (chunk) => (this.#log = (this.#log + String(chunk)).slice(-20_000)))
    this.#exit = new Promise((resolve) => this.#child.once('exit', (code) => resolve(code)))
    process.once('exit', () => this.#child.kill('SIGKILL'))
  }

  get pid(): number {
    return this.#child.pid ?? 0
  }

  get log(): string {
    return this.#log
  }

  /** SIGKILL: no handler runs, nothing is flushed. */
  async kill(): Promise<void> {
    this.#child.kill('SIGKILL')
    await this.#exit
  }

  /** SIGTERM: it drains. @throws when it does not end with 0 */
  async stop(): Promise<void> {
    this.#child.kill('SIGTERM')
    const code = await this.#exit
    if (code !== 0) throw new Error(`the runtime ended with ${code}:\n${this.#log}`)
  }
}
