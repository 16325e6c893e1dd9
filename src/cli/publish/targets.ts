import { asFault } from '../../broker/api-error.js'
import type { Connection } from '../../broker/connection.js'
import type { StreamDeclaration } from '../../broker/define-stream.js'
import { fault } from '../../error/millrace-error.js'
import { streamNamed, streamOf, type Deployment } from '../../runtime/deployment.js'

/** Decides which stream an event goes to. */
export interface Targets {
  /** @throws EVENT_TYPE_UNKNOWN when no context declares the type, and no --stream was given */
  of(type: string): StreamDeclaration
}

/** @throws DECLARATION_UNKNOWN, USAGE when `--stream` names no declared stream, or one that is filled from others */
export function targetsOf(deployment: Deployment, stream: string | undefined): Targets {
  if (stream !== undefined) {
    const only = streamNamed(deployment, stream)
    const inputs = only.sources?.map((source) => source.stream).join(', ')
    if (inputs !== undefined) throw fault('USAGE', `${stream} is filled from ${inputs}: publish there`)
    return { of: () => only }
  }
  return {
    of: (type) => {
      const home = streamOf(deployment, type)
      if (home === undefined) throw fault('EVENT_TYPE_UNKNOWN', type)
      return home
    },
  }
}

/**
 * Looks once whether a stream is there, so that a missing one is said at once; a publisher would wait for it, as for
 * a leader election.
 */
export class ExistingStreams {
  readonly #connection: Connection
  readonly #known = new Set<string>()

  constructor(connection: Connection) {
    this.#connection = connection
  }

  has(stream: string): boolean {
    return this.#known.has(stream)
  }

  /** @throws STREAM_NOT_FOUND and errors of the broker */
  async require(stream: string): Promise<void> {
    try {
      await this.#connection.manager.streams.info(stream)
    } catch (error) {
      const known = asFault(error, `looking for stream ${stream}`)
      throw known.code === 'STREAM_NOT_FOUND' ? fault('STREAM_NOT_FOUND', stream, { cause: error }) : known
    }
    this.#known.add(stream)
  }
}
