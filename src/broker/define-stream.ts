import { parseDuration } from '../time/duration.js'
import { fault } from '../error/millrace-error.js'

/** What a deployment says about one stream; defaults are filled in. */
export interface StreamDeclaration {
  readonly kind: 'stream'
  /** Name of the JetStream stream, such as `PAYMENTS`. */
  readonly name: string
  /** First token of every event’s subject, such as `payments`. */
  readonly root: string
  readonly description: string
  /** Into how many partitions the server spreads the keys. Changed by `millrace streams repartition` only. */
  readonly partitions: number
  readonly replicas: number
  readonly storage: 'file' | 'memory'
  /** In ms; 0 keeps for ever. */
  readonly maxAge: number
  /** In bytes; -1 is unlimited. */
  readonly maxBytes: number
  /** How long a message id is remembered, in ms. */
  readonly duplicateWindow: number
  /**
   * It holds records of aggregates, or what is merged from such a stream, and so a subject for each: its readers use one
   * filter, and pass over what they don’t want. Made by recordStream and mergeStream.
   */
  readonly aggregates?: true
  /** It holds what handlers have to do later, each message until it is done. Made by workStream. */
  readonly work?: true
  /** It holds what others publish to these subjects, as it comes. Made by captureStream. */
  readonly captures?: readonly string[]
  /** Streams from which the server fills this one; nobody publishes to it then. Made by mergeStream. */
  readonly sources?: readonly SourceDeclaration[]
}

/** What a stream takes from another one. */
export interface SourceDeclaration {
  readonly stream: string
  /** Which stored subjects it takes, and how it stores them itself. */
  readonly transforms: readonly { readonly src: string; readonly dest: string }[]
}

export interface StreamOptions {
  readonly name: string
  readonly root: string
  readonly description?: string
  /** Default 16. See docs/operations.md for how to change it. */
  readonly partitions?: number
  /** Default 1; 3 in production. */
  readonly replicas?: number
  /** Default file. */
  readonly storage?: 'file' | 'memory'
  /** What is deleted when: default nothing, ever. */
  readonly retention?: { readonly maxAge?: string | number; readonly maxBytes?: number }
  /** Default 2m, or as long as messages are kept when that is shorter. */
  readonly duplicateWindow?: string | number
}

const DUPLICATE_WINDOW = 120_000
/** The shortest age and window that a server takes, in ms. */
const SHORTEST = 100

/**
 * Declares a stream: the durable, ordered log of one bounded context. An event is published to
 * `<root>.<key>.<type>`; the server puts it into a partition of its key.
 * @throws STREAM_INVALID, DURATION_INVALID
 */
export function defineStream(options: StreamOptions): StreamDeclaration {
  const { name, root, partitions = 16, replicas = 1 } = options
  if (!/^[A-Za-z0-9_-]{1,64}$/.test(name))
    throw fault('STREAM_INVALID', `name ${JSON.stringify(name)} may have letters, digits, _ and -, at most 64`)
  // subjects of Millrace's own begin so
  if (name === 'ownership' || name === 'dead') throw fault('STREAM_INVALID', `name ${name} is Millrace’s own`)
  if (!/^[a-z0-9_-]+$/.test(root) || root === 'millrace')
    throw fault('STREAM_INVALID', `root ${JSON.stringify(root)} must be one lower-case subject token, not "millrace"`)
  if (!Number.isInteger(partitions) || partitions < 1 || partitions > 1_024)
    throw fault('STREAM_INVALID', `partitions ${partitions} must be a whole number from 1 to 1024`)
  if (![1, 3, 5].includes(replicas)) throw fault('STREAM_INVALID', `replicas ${replicas} must be 1, 3 or 5`)
  const maxAge = parseDuration(options.retention?.maxAge ?? 0)
  const maxBytes = options.retention?.maxBytes ?? -1
  if (maxBytes !== -1 && !(Number.isSafeInteger(maxBytes) && maxBytes > 0))
    throw fault('STREAM_INVALID', `retention.maxBytes ${maxBytes} must be a whole number above 0, or left out`)
  const remembered = options.duplicateWindow ?? (maxAge > 0 ? Math.min(maxAge, DUPLICATE_WINDOW) : DUPLICATE_WINDOW)
  const duplicateWindow = parseDuration(remembered)
  if (maxAge > 0 && maxAge < SHORTEST)
    throw fault('STREAM_INVALID', `retention.maxAge ${maxAge} ms is below what a server takes, ${SHORTEST} ms`)
  if (duplicateWindow < SHORTEST || (maxAge > 0 && duplicateWindow > maxAge))
    throw fault(
      'STREAM_INVALID',
      `duplicateWindow ${duplicateWindow} ms must be at least ${SHORTEST} ms and not longer than retention.maxAge`,
    )
  return Object.freeze({
    kind: 'stream',
    name,
    root,
    description: options.description ?? '',
    partitions,
    replicas,
    storage: options.storage ?? 'file',
    maxAge,
    maxBytes,
    duplicateWindow,
  })
}
