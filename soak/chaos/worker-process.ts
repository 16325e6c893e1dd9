// A worker of the soak: `millrace run` of a folder in a process of its own, which is killed, frozen and started again.
import { spawn, type ChildProcess } from 'node:child_process'
import { createInterface } from 'node:readline'
import { appendFileSync } from 'node:fs'
import { join } from 'node:path'
import { millraceProgram } from '../../test/support/program.ts'
import type { Timeline } from './timeline.ts'

const ROOT = join(import.meta.dirname, '..', '..')

export interface WorkerCounts {
  /** Runs that ended because another process had claimed the unit. */
  fenced: number
  /** Messages that were taken to be what had killed their process, and became dead letters. */
  blamed: number
  /** Errors in the log, other than being fenced. */
  readonly errors: string[]
}

/** One place for a worker: whoever is started there takes the place of who was before. */
export class WorkerProcess {
  readonly #url: string
  readonly #env: Readonly<Record<string, string>>
  readonly #arguments: readonly string[]
  readonly #counts: WorkerCounts
  readonly #timeline: Timeline
  #child: ChildProcess | undefined
  #frozen = false
  #ending = false

  /** @param streams the folder that it runs @param env what it has in its environment beside that of this process */
  constructor(
    url: string,
    counts: WorkerCounts,
    timeline: Timeline,
    streams = 'soak/streams',
    env: Readonly<Record<string, string>> = {},
  ) {
    this.#url = url
    this.#env = env
    this.#arguments = ['run', '--streams', streams]
    this.#counts = counts
    this.#timeline = timeline
  }

  /** Its number, when there is one. */
  get pid(): number | undefined {
    return this.#child?.pid
  }

  get alive(): boolean {
    return this.#child !== undefined && !this.#frozen
  }

  start(): void {
    if (this.#child !== undefined) return
    this.#ending = false
    const env = { ...process.env, ...this.#env, NATS_URL: this.#url, NO_COLOR: '1', MILLRACE_LOG_LEVEL: 'debug' }
    const child = spawn(process.execPath, [...millraceProgram(), ...this.#arguments], {
      cwd: ROOT,
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    this.#child = child
    this.#frozen = false
    for (const stream of [child.stdout, child.stderr]) {
      if (stream !== null) createInterface({ input: stream }).on('line', (line) => this.#read(line, String(child.pid)))
    }
    child.once('exit', () => {
      if (this.#child !== child) return
      if (!this.#ending) this.#note('ended')
      this.#child = undefined
      // as a service manager would: it ended by itself, for instance because no server was there when it started
      if (!this.#ending) setTimeout(() => (this.#ending ? undefined : this.start()), 500)
    })
  }

  /** SIGKILL; resolves when it is gone. */
  async kill(): Promise<void> {
    await this.#end('SIGKILL')
  }

  /** SIGTERM: it drains. Resolves when it is gone. */
  async stop(): Promise<void> {
    await this.#end('SIGTERM')
  }

  freeze(): void {
    this.#frozen = this.#child?.kill('SIGSTOP') === true
    this.#note('SIGSTOP')
  }

  wake(): void {
    if (!this.#frozen) return
    this.#child?.kill('SIGCONT')
    this.#note('SIGCONT')
    this.#frozen = false
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#child
    this.#ending = true
    if (child === undefined) return
    const gone = new Promise((resolve) => child.once('exit', resolve))
    if (this.#frozen) this.wake()
    this.#note(signal)
    child.kill(signal)
    const late = setTimeout(() => child.kill('SIGKILL'), 15_000)
    await gone
    clearTimeout(late)
  }

  #note(what: string): void {
    if (this.#child !== undefined) this.#timeline.worker(String(this.#child.pid), what)
  }

  #read(line: string, worker: string): void {
    const log = process.env['SOAK_LOG']
    if (log !== undefined) appendFileSync(log, `${Date.now()} ${worker} ${line}\n`)
    const taken = /"time":"([^"]*)".*"unit":"([^"]*)".*"unit taken"/.exec(line)
    if (taken !== null) this.#timeline.taken(taken[2] ?? '', worker, Date.parse(taken[1] ?? ''))
    const ready = /"time":"([^"]*)".*"msg":"ready"/.exec(line)
    if (ready !== null) this.#timeline.ready(worker, Date.parse(ready[1] ?? ''))
    if (line.includes('PROCESS_KILLED')) this.#counts.blamed += 1
    if (/unit lost|PROCESSOR_FENCED/.test(line)) this.#counts.fenced += 1
    else if (/"level":"(?:error|fatal)"|^error /.test(line)) this.#counts.errors.push(line.slice(0, 400))
  }
}
