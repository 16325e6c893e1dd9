import type { SignalSource } from './interrupt.js'
import type { Sink } from './output.js'

/** What a command line runs in: the process, or what stands for one in a test. `process` is a host as it is. */
export interface Host extends SignalSource {
  readonly env: NodeJS.ProcessEnv
  readonly stdout: Sink
  readonly stderr: Sink
  readonly stdin: NodeJS.ReadableStream
  on(event: 'SIGINT' | 'SIGTERM', listener: () => void): unknown
  on(event: 'uncaughtException' | 'unhandledRejection', listener: (thrown: unknown) => void): unknown
}
