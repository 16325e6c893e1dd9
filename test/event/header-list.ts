import type { HeaderReader } from '../../src/event/wire.ts'

/** Headers of a test, read without regard to case. */
export function headerList(headers: Iterable<readonly [string, string]>): HeaderReader {
  const list = [...headers]
  return {
    get: (name) => list.find(([known]) => known.toLowerCase() === name.toLowerCase())?.[1],
    entries: () => list,
  }
}

export const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)
