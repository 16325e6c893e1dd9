/** Two hashes of one text. */
export type HashPair = readonly [number, number]

/**
 * Two 32-bit hashes of a text, by MurmurHash3's mixing (Appleby 2011, public domain) over its UTF-16 code units: good
 * enough for sketches, not for secrets. The same on every machine.
 */
export function hashText(text: string): HashPair {
  let one = 0x9747b28c
  let other = 0x85ebca6b
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at)
    one = mixIn(one, unit)
    other = mixIn(other, unit + 0x10000)
  }
  return [finish(one ^ text.length), finish(other ^ text.length)]
}

function mixIn(hash: number, unit: number): number {
  let k = Math.imul(unit, 0xcc9e2d51)
  k = Math.imul((k << 15) | (k >>> 17), 0x1b873593)
  const mixed = hash ^ k
  return (Math.imul((mixed << 13) | (mixed >>> 19), 5) + 0xe6546b64) | 0
}

function finish(hash: number): number {
  let h = hash ^ (hash >>> 16)
  h = Math.imul(h, 0x85ebca6b)
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35)
  return (h ^ (h >>> 16)) >>> 0
}
