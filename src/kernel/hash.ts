/** FNV-1a, 32 bit, over bytes, continued from `hash`. http://www.isthe.com/chongo/tech/comp/fnv/ */
export function fnv1a(hash: number, bytes: Uint8Array): number {
  let value = hash
  for (const byte of bytes) value = Math.imul(value ^ byte, 0x01000193)
  return value >>> 0
}

/** Where a hash begins. */
export const FNV_OFFSET = 0x811c9dc5
