import { fault } from '../../error/millrace-error.js'
import type { EventContract } from '../../event/contract.js'
import { parseDuration } from '../../time/duration.js'
import { readTarget, type SourceTarget } from '../source/source-options.js'

export interface HttpSourceOptions<Events extends readonly EventContract[]> extends SourceTarget<Events> {
  /** Where it listens: each process that runs it. */
  readonly listen: {
    readonly port: number
    /** Default 127.0.0.1: this machine alone. */
    readonly host?: string
  }
  /** Default `/events`. */
  readonly path?: string
  /** Whether a request may publish. Default: any may. */
  readonly authorize?: (headers: Readonly<Record<string, string | string[] | undefined>>) => boolean | Promise<boolean>
  /** Largest body, in bytes. Default 1 MiB. */
  readonly mostBytes?: number
  /** Most events in a request. Default 1,000. */
  readonly mostEvents?: number
  /** How long what was stored under an Idempotency-Key is remembered: ms, or like `1d`. Default 1 d. */
  readonly remember?: string | number
}

/** A declared source. */
export interface HttpSourceDeclaration extends SourceTarget {
  readonly kind: 'http-source'
  readonly listen: { readonly port: number; readonly host: string }
  readonly path: string
  readonly authorize: HttpSourceOptions<readonly EventContract[]>['authorize']
  readonly mostBytes: number
  readonly mostEvents: number
  /** In ms. */
  readonly remember: number
}

const MIB = 1024 * 1024

/**
 * Declares a source: events that others POST, one, a batch or NDJSON, as CloudEvents or in the short form. The answer is 202
 * when all of them are stored, and a problem document when none is.
 * @throws SOURCE_INVALID, DURATION_INVALID
 */
export function defineHttpSource<const Events extends readonly EventContract[]>(
  options: HttpSourceOptions<Events>,
): HttpSourceDeclaration {
  const target = readTarget(options)
  const { listen, path = '/events', authorize, mostBytes = MIB, mostEvents = 1_000 } = options
  const invalid = (detail: string): never => {
    throw fault('SOURCE_INVALID', `${target.name}: ${detail}`)
  }
  if (!Number.isInteger(listen?.port) || listen.port < 0 || listen.port > 65_535) invalid('listen.port is missing')
  if (!/^\/[^?#]*$/.test(path)) invalid(`path ${JSON.stringify(path)} must begin with /`)
  for (const [name, value] of Object.entries({ mostBytes, mostEvents }))
    if (!Number.isSafeInteger(value) || value < 1) invalid(`${name} ${value} must be a whole number from 1`)
  const remember = parseDuration(options.remember ?? '1d')
  if (remember < 60_000) invalid('remember is below a minute')
  const own = { listen: { port: listen.port, host: listen.host ?? '127.0.0.1' }, path, authorize }
  return Object.freeze<HttpSourceDeclaration>({
    kind: 'http-source',
    ...target,
    ...own,
    mostBytes,
    mostEvents,
    remember,
  })
}
