import type { FetchContext, FetchResult } from './server-fetch.js'

export function aptServer(_context: FetchContext): Promise<FetchResult> {
  return Promise.resolve({ kind: 'failed', why: 'not yet' })
}
