import type { Processor } from './processor.js'

/**
 * Whose a message is, for a processor that minds the contracts of its stream beside its own work: its own to handle, that
 * of another processor that takes its type, and minds its contract too; or nobody’s, and then only its contract counts.
 */
export type Share = 'own' | 'others' | 'nobody'

type From = Processor['from']

/** By subject: those of known types are few. */
const known = new WeakMap<From, Map<string, Share>>()

/** Whose a message of this subject is. What comes back to a processor, from wherever, is its own. */
export function shareOf(from: From, subject: string): Share {
  if (from.taken === undefined) return 'own'
  let shares = known.get(from)
  if (shares === undefined) known.set(from, (shares = new Map<string, Share>()))
  const before = shares.get(subject)
  if (before !== undefined) return before
  const share = readShare(from, subject)
  if (share !== 'nobody') shares.set(subject, share)
  return share
}

function readShare({ stream: { root }, types, taken }: From, subject: string): Share {
  if (!subject.startsWith(`${root}.`)) return 'own'
  const type = subject.slice(subject.indexOf('.', root.length + 1) + 1)
  if (types?.includes(type) !== false) return 'own'
  return taken?.includes(type) === true ? 'others' : 'nobody'
}
