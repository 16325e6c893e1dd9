// What a command works with, in memory: for tests that run a command in this process.
import { Readable } from 'node:stream'
import { fault } from '../../src/error/millrace-error.ts'
import type { CliContext, GlobalOptions } from '../../src/cli/context.ts'
import type { Output } from '../../src/cli/output.ts'
import { silentLog } from '../../src/observe/log.ts'
import { discover } from '../../src/runtime/discover.ts'
import { systemClock } from '../../src/time/system-clock.ts'
import { atEnd } from './cleanup.ts'
import { sharedConnection } from './broker.ts'

export interface MemoryOutput extends Output {
  readonly text: () => string
  /** Called with what was written. */
  onWrite?: (text: string) => void
}

export function memoryOutput(): MemoryOutput {
  let text = ''
  const output: MemoryOutput = {
    isTty: false,
    color: false,
    columns: 80,
    isGone: false,
    text: () => text,
    write: (more) => {
      text += more
      output.onWrite?.(more)
    },
    line: (line = '') => output.write(`${line}\n`),
    style: (_, styled) => styled,
    drained: () => Promise.resolve(),
  }
  return output
}

export interface TestContext extends CliContext {
  readonly out: MemoryOutput
  readonly err: MemoryOutput
  readonly exit: { code: number | undefined; stopIsNormal: boolean }
  /** What Ctrl-C does. */
  interrupt(): void
}

/** A context whose commands reach the server that the tests share. */
export function cliContext(options: Partial<GlobalOptions> = {}): TestContext {
  const controller = new AbortController()
  const given: GlobalOptions = { streams: './streams', color: false, ...options }
  const exit: TestContext['exit'] = { code: undefined, stopIsNormal: false }
  return {
    clock: systemClock,
    env: {},
    options: given,
    out: memoryOutput(),
    err: memoryOutput(),
    json: given.json === true,
    log: silentLog,
    signal: controller.signal,
    input: Readable.from([]),
    connect: sharedConnection,
    deployment: () => discover(given.streams),
    atEnd,
    exitWith: (code) => {
      exit.code = code
    },
    stopIsNormal: () => {
      exit.stopIsNormal = true
    },
    exit,
    interrupt: () => controller.abort(fault('INTERRUPTED', '')),
  }
}
