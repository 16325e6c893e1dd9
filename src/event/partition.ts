import { encodeToken, NO_KEY } from './subject.js'

const FNV_OFFSET = 0x811c9dc5
const FNV_PRIME = 0x01000193
const ASCII = 0x80

/**
 * The partition into which the server puts a message, by its key token: what `{{partition(n,1)}}` of a subject
 * transform writes. The hash is FNV-1a, 32 bit, over the bytes of the token.
 * Sources: nats-server, subject_transform.go; http://www.isthe.com/chongo/tech/comp/fnv/
 *
 * @param token the token as it is published: see encodeToken; `_` for an event without a key
 * @param partitions from 1
 */
export function partitionOf(token: string, partitions: number): number {
  let hash = FNV_OFFSET
  for (let at = 0; at < token.length; at++) {
    const code = token.charCodeAt(at)
    if (code >= ASCII) return hashBytes(Buffer.from(token)) % partitions
    hash = Math.imul(hash ^ code, FNV_PRIME)
  }
  return (hash >>> 0) % partitions
}

function hashBytes(bytes: Uint8Array): number {
  let hash = FNV_OFFSET
  for (const byte of bytes) hash = Math.imul(hash ^ byte, FNV_PRIME)
  return hash >>> 0
}

/** The partition of an event’s key; of an event without one, that of all those. One that has no token counts as none. */
export function partitionOfKey(key: string | undefined, partitions: number): number {
  if (key === undefined || key === NO_KEY) return partitionOf(key === undefined ? NO_KEY : encodeToken(key), partitions)
  // nearly every key is its own token
  let hash = FNV_OFFSET
  for (let at = 0; at < key.length; at++) {
    const code = key.charCodeAt(at)
    if (code >= ASCII || STANDS_IN_TOKEN[code] === 0) return partitionOf(tokenOf(key), partitions)
    hash = Math.imul(hash ^ code, FNV_PRIME)
  }
  return key === '' ? partitionOf(NO_KEY, partitions) : (hash >>> 0) % partitions
}

/** By code, whether a character is in a token what it is in a key. */
const STANDS_IN_TOKEN = Uint8Array.from({ length: ASCII }, (_, code) => {
  const text = String.fromCharCode(code)
  return encodeToken(text) === text || text === NO_KEY ? 1 : 0
})

function tokenOf(key: string): string {
  try {
    return encodeToken(key)
  } catch {
    return NO_KEY // empty, or with an unpaired surrogate: nobody could publish it under such a key
  }
}
