import type { Connection } from '../broker/connection.js'
import type { ConnectionFlags } from '../broker/connection-sources.js'
import type { Log } from '../observe/log.js'
import type { Deployment } from '../runtime/deployment.js'
import type { DiscoverParts } from '../runtime/discover.js'
import type { Clock } from '../time/clock.js'
import type { Output } from './output.js'

/** Options that every command takes. */
export interface GlobalOptions extends ConnectionFlags {
  readonly passwordFile?: string
  /** The folder with the declarations. */
  readonly streams: string
  readonly json?: boolean
  readonly color: boolean
  readonly verbose?: boolean
}

/** What a command works with: everything outside of it. Made once per process, after the options were read. */
export interface CliContext {
  readonly clock: Clock
  readonly env: NodeJS.ProcessEnv
  /** Options before and after the name of the command. */
  readonly options: GlobalOptions
  /** Primary output: what the command was asked for. */
  readonly out: Output
  /** Everything else: progress, reports, questions, errors. */
  readonly err: Output
  /** `--json`: one JSON document on `out` (streams: one per line), problem objects on `err`. */
  readonly json: boolean
  /** Notes for people on `err`: warnings, and everything with --verbose. */
  readonly log: Log
  /** Aborted by the first Ctrl-C, with INTERRUPTED; by SIGTERM; and when nobody reads the output any more. */
  readonly signal: AbortSignal
  /** Standard input, as bytes. */
  readonly input: NodeJS.ReadableStream
  /**
   * Connects once per process; the connection is closed when the command ends.
   * @throws BROKER_UNREACHABLE, BROKER_AUTH_FAILED, SETTING_INVALID and others of connecting
   */
  connect(): Promise<Connection>
  /**
   * Reads the declarations. A command that needs no rules leaves them out, so that a mistake in one does not stop it.
   * @throws STREAMS_FOLDER_MISSING, DECLARATION_INVALID, CONTRACT_DUPLICATE, RULE_INVALID
   */
  deployment(parts?: DiscoverParts): Promise<Deployment>
  /** Runs `close` when the command has ended, in whatever way; last registered, first run. */
  atEnd(close: () => Promise<void> | void): void
  /** The command ends with this exit code, though without an error: a check that found something. */
  exitWith(code: number): void
  /** What a Ctrl-C or SIGTERM ends in is the normal end of this command: exit code 0. */
  stopIsNormal(): void
}
