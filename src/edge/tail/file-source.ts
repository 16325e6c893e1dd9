import type { Connection } from '../../broker/connection.js'
import type { StreamDeclaration } from '../../broker/define-stream.js'
import type { Log } from '../../observe/log.js'
import type { Clock } from '../../time/clock.js'
import type { EdgeRun } from '../edge-run.js'
import { SourceMessages } from '../source/source-message.js'
import { startSource } from '../source/source-run.js'
import type { FileSourceDeclaration } from './define-file-source.js'
import { isTailPlace, type TailPlace } from './tail-file.js'
import { TailReader } from './tail-reader.js'

export interface FileSourceRunOptions {
  readonly connection: Connection
  readonly clock: Clock
  readonly log: Log
  readonly declaration: FileSourceDeclaration
  readonly stream: StreamDeclaration
  /** A text that no other run has. */
  readonly run: string
}

/** Puts a file source to work; where its file is not there it waits for it. */
export function startFileSource(options: FileSourceRunOptions): EdgeRun {
  const { declaration, connection, stream, clock, log } = options
  const { name, to } = declaration
  const { maxPayload } = connection.server
  const messages = new SourceMessages(name, stream.root, to.events, maxPayload)
  return startSource<TailPlace>({
    ...options,
    name,
    kind: 'file-source',
    isPlace: isTailPlace,
    describe: ({ line, generation }) => `line ${line - 1} of file ${generation}`,
    open: (place, { signal }) =>
      TailReader.open({ declaration, clock, log, signal, messages, root: stream.root, maxPayload }, place),
  })
}
