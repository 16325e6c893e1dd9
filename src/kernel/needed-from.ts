import type { CommitRecord } from './commit-record.js'
import type { MemoryKind } from './processor.js'

/** The first input sequence that a unit has still to read, or would read again in a recovery. */
export function neededFrom(memory: MemoryKind, { position, snapshot, origin, replayFrom }: CommitRecord): number {
  const next = position + 1
  switch (memory) {
    case 'none':
    case 'keyed':
      return next
    case 'snapshot':
      return Math.min(next, (snapshot?.position ?? origin) + 1)
    case 'replay':
      return Math.min(next, replayFrom ?? next)
  }
}
