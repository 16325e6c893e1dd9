import type { FetchContext, FetchResult } from './server-fetch.js'

export function downloadServer(_context: FetchContext): Promise<FetchResult> {
  return Promise.resolve({ kind: 'failed', why: 'not yet' })
}
