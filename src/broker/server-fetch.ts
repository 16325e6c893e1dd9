import type { Clock } from '../time/clock.js'
import type { ServerVersion } from './server-version.js'

/** Where a server came from. */
export type ServerOrigin = 'environment' | 'path' | 'cache' | 'release' | 'apt'

/** What one way of fetching a server came to. `why` is one line. */
export type FetchResult =
  | { readonly kind: 'fetched'; readonly path: string; readonly version: ServerVersion }
  | { readonly kind: 'failed'; readonly why: string }

/** What a way of fetching a server needs. */
export interface FetchContext {
  readonly env: NodeJS.ProcessEnv
  readonly cacheDir: string
  readonly clock: Clock
  readonly signal: AbortSignal
  readonly note: (text: string) => void
}

/** One way of fetching a server into the cache. */
export interface Fetcher {
  readonly origin: ServerOrigin
  readonly fetch: (context: FetchContext) => Promise<FetchResult>
}
