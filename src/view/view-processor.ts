import type { StreamDeclaration } from '../broker/define-stream.js'
import type { MillraceError } from '../error/millrace-error.js'
import type { LogicEnvironment } from '../kernel/logic-environment.js'
import type { Processor } from '../kernel/processor.js'
import { BucketRows } from './bucket-rows.js'
import { MemoryRows } from './memory-rows.js'
import type { RowStore } from './row-store.js'
import { ViewGeneration } from './view-generation.js'
import { ViewLogic } from './view-logic.js'
import type { SqlClient } from '../sql/sql-client.js'
import { dropVersion, showVersion, SqlRows } from './sql-rows.js'
import type { SqlTable, ViewDeclaration } from './view-options.js'
import { versionName } from './view-pointer.js'

export interface ViewProcessorOptions {
  readonly view: ViewDeclaration
  /** The stream that it reads, which holds its positions too. */
  readonly stream: StreamDeclaration
  /** Where its rows are, in a simulation; else its bucket. */
  readonly store?: RowStore
}

/**
 * A version of a declared view as something that the kernel runs. Each version is a processor of its own, with its own
 * positions: a new one begins with the log, beside whoever still runs the former one.
 */
export function viewProcessor({ view, stream, store }: ViewProcessorOptions): Processor {
  const spread = view.key === undefined ? 'keys' : 'one'
  return {
    kind: 'view',
    name: versionName(view.name, view.version),
    version: String(view.version),
    from: { stream, types: view.from.events.map(({ type }) => type) },
    to: { stream },
    memory: 'none',
    spread,
    onPoison: view.onError === 'stop' ? 'stop' : 'continue',
    start: (_memory, onBroken, environment) => {
      const rows = store ?? (environment === undefined ? new MemoryRows() : undefined)
      const wake = environment?.wake ?? (() => undefined)
      const own = rows ?? storedRows(view, stream, spread, onBroken, environment as LogicEnvironment)
      return new ViewLogic({ view, store: own, wake, onBroken })
    },
  }
}

function storedRows(
  view: ViewDeclaration,
  stream: StreamDeclaration,
  spread: 'keys' | 'one',
  onBroken: (error: MillraceError) => void,
  { connection, clock, commits }: LogicEnvironment,
): RowStore {
  const common = { connection, clock, view, stream, spread, onBroken }
  const { table } = view.to
  if (table !== undefined) {
    const client = clientOf(table)
    const generation = new ViewGeneration({
      ...common,
      onLive: () => showVersion(client, table.name, view.version),
      onRemoved: (version) => dropVersion(client, table.name, version),
    })
    const [prepare, end] = [() => generation.begin(), () => generation.stop()]
    return new SqlRows({ client, clock, table: table.name, version: view.version, unit: commits.subject, prepare, end })
  }
  const generation = new ViewGeneration(common)
  return new BucketRows({
    connection,
    clock,
    bucket: generation.bucket,
    prepare: () => generation.begin(),
    end: () => generation.stop(),
  })
}

const clients = new WeakMap<SqlTable, SqlClient>()

/** One for all units of a process. */
function clientOf(table: SqlTable): SqlClient {
  let client = clients.get(table)
  if (client === undefined) clients.set(table, (client = table.client()))
  return client
}
